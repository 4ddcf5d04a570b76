import {
  type Arbitrary,
  array,
  assert,
  constantFrom,
  integer,
  oneof,
  property,
  record,
  string,
  uniqueArray,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ActChain, Actor } from '../../src/attribution/act-chain.ts';
import { ISS, actor, nest, codeOf } from './post-condition-cases.ts';

describe('over all chains', () => {
  const names: Arbitrary<Actor> = record({
    iss: constantFrom(ISS, 'https://b.example'),
    sub: constantFrom('a', 'b', 'c', 'd', 'e'),
  });
  const chains = uniqueArray(names, {
    minLength: 1,
    maxLength: 8,
    selector: ({ iss, sub }) => `${iss} ${sub}`,
  }).map((chain) => chain as unknown as ActChain); // minLength 1

  it('accepts exactly the expected one', () => {
    assert(
      property(chains, chains, (chain, came) => {
        const same = JSON.stringify(chain) === JSON.stringify(came);
        expect(codeOf({ act: nest(chain, true) }, { chain })).toBe('accepted');
        expect(codeOf({ act: nest(came, true) }, { chain })).toBe(
          same ? 'accepted' : 'chain_mismatch',
        );
      }),
      { numRuns: 300 },
    );
  });

  it('accepts none that one edit has changed', () => {
    const edits = oneof(
      integer({ min: 0, max: 7 }).map(
        (n) => (chain: readonly Actor[]) => chain.toSpliced(n % chain.length, 1),
      ),
      integer({ min: 0, max: 8 }).map(
        (n) => (chain: readonly Actor[]) =>
          chain.toSpliced(n % (chain.length + 1), 0, actor('new')),
      ),
      integer({ min: 0, max: 7 }).map(
        (n) => (chain: readonly Actor[]) => chain.with(n % chain.length, actor('new')),
      ),
      integer({ min: 0, max: 6 }).map((n) => (chain: readonly Actor[]) => {
        if (chain.length < 2) return [];
        const at = n % (chain.length - 1);
        return chain.toSpliced(at, 2, ...chain.slice(at, at + 2).toReversed());
      }),
    );
    assert(
      property(chains, edits, (chain, edit) => {
        expect(codeOf({ act: nest(edit(chain), true) }, { chain })).toBe('chain_mismatch');
      }),
      { numRuns: 300 },
    );
  });

  it('never lets a scope through that was not asked for', () => {
    const words = array(oneof(constantFrom('read', 'write', 'admin'), string({ maxLength: 3 })), {
      maxLength: 4,
    });
    assert(
      property(words, words, (asked, came) => {
        const got = came
          .join(' ')
          .split(' ')
          .filter((word) => word !== '');
        const kept = got.every((word) => asked.includes(word));
        expect(codeOf({ scope: came.join(' ') }, { scope: asked })).toBe(
          kept ? 'accepted' : 'scope_widened',
        );
      }),
    );
  });
});
