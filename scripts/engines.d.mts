export function supportedNodes(): string;
export function satisfies(version: string, range?: string): boolean;
