/** Reads `engines.node` of package.json, so that the range stands in one place. */
import { readFileSync } from 'node:fs';

const ALTERNATIVE = /^(\^|>=)(\d+)(?:\.(\d+)(?:\.(\d+))?)?$/;

/** The range as package.json says it. */
export function supportedNodes() {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).engines.node;
}

/**
 * Whether a version lies in a range of `^x.y.z` and `>=x.y.z`, joined by `||`. npm's own comparison is
 * not installed yet when this runs.
 */
export function satisfies(version, range = supportedNodes()) {
  const present = version.split('.').map(Number);
  return range.split('||').some((alternative) => {
    const match = ALTERNATIVE.exec(alternative.trim());
    if (match === null) throw new TypeError(`engines.node has a form unknown here: ${alternative}`);
    const [operator, ...parts] = match.slice(1);
    const least = parts.map((part) => Number(part ?? 0));
    return isAtLeast(present, least) && (operator === '>=' || present[0] === least[0]);
  });
}

function isAtLeast(version, least) {
  const n = version.findIndex((part, index) => part !== least[index]);
  return n === -1 || version[n] > least[n];
}
