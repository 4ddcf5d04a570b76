/**
 * What a resource says about itself, so that a client finds its identity provider.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9728#section-2
 * @module
 */
import { DIRECTIVE_TYPE } from '../attribution/directive.ts';
import { PROOF_ALGORITHMS } from './dpop-proof.ts';
import type { GuardSettings } from './guard-options.ts';

/** The document at `/.well-known/oauth-protected-resource` plus the resource's path. */
export interface ProtectedResourceMetadata {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly bearer_methods_supported: readonly ['header'];
  readonly authorization_details_types_supported: readonly string[];
  readonly dpop_signing_alg_values_supported?: readonly string[];
  readonly dpop_bound_access_tokens_required?: boolean;
}

/** RFC 9728 section 3: the well-known part stands between host and path. */
export function metadataUrlOf(resource: string): string {
  const { origin, pathname } = new URL(resource);
  return `${origin}/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}`;
}

/** Writes the document. */
export function metadataOf({
  resource,
  issuers,
  scope,
  dpop,
}: GuardSettings): ProtectedResourceMetadata {
  return {
    resource,
    authorization_servers: [...issuers.keys()],
    ...(scope.length === 0 ? {} : { scopes_supported: scope }),
    bearer_methods_supported: ['header'],
    authorization_details_types_supported: [DIRECTIVE_TYPE],
    ...(dpop === 'off' ? {} : { dpop_signing_alg_values_supported: PROOF_ALGORITHMS }),
    ...(dpop === 'required' ? { dpop_bound_access_tokens_required: true } : {}),
  };
}
