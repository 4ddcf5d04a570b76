/**
 * An anchored ledger with a call in it that nobody authorized, and the operator who wants it gone. He has
 * the ledger's key and the anchor key, and may sign what he likes; what he does not have is the log.
 *
 * @module
 */
import type { Entry, ObservedBody } from '../../src/evidence/kinds.ts';
import {
  anchor,
  anchoredScene,
  callOnce,
  type AnchoredScene,
  type PublicLog,
} from '../verify/anchor-world.ts';
import { add, commit, type Builder } from '../verify/build-ledger.ts';
import { forge } from './forge.ts';

/** Where the call stands, and how much of the ledger was anchored after it. */
export const CALL = { from: 6, to: 7 } as const;
export const ANCHORED_SIZE = 8;

/** A login and a call, anchored (0 to 5); the unauthorized call (6, 7), anchored (8); three crumbs more. */
export async function anchoredStory(log?: PublicLog): Promise<AnchoredScene> {
  const scene = await anchoredScene(log);
  await callOnce(scene);
  await anchor(scene);
  await goOn(scene.builder);
  return scene;
}

/** Three crumbs that say nothing of interest. */
export async function goOn(builder: Builder): Promise<void> {
  for (const id of ['a', 'b', 'c']) {
    add(builder, 'observed', quiet(id));
    await commit(builder);
  }
}

function quiet(id: string): ObservedBody {
  const args = 'h1.qwpIWjJCZsYEjFRUjEdcSl4Jf_9GvcOx6JNdIKS47_M';
  const place = { tool: 'search', resource: 'https://search.example', action: 'search' };
  return {
    source: 'provider',
    session: null,
    human: null,
    chain: [],
    call: { id, ...place, args, origin: 'model' },
    verdict: null,
    result: null,
    purpose: null,
    by: null,
  };
}

/** The call never was: chain and tree are built anew, and every head is signed with the real key. */
export async function withoutCall({ builder }: AnchoredScene): Promise<Builder> {
  // With the call goes the anchor entry that speaks of more crumbs than there were.
  const stay = ({ seq }: Entry): boolean => seq < CALL.from || seq > ANCHORED_SIZE;
  return forge(builder, (entries) => entries.filter(stay), { signer: builder.signer });
}

/** The call was something else: nothing moves. */
export async function withAnotherCall({ builder }: AnchoredScene): Promise<Builder> {
  const body = quiet('harmless');
  const change = (entry: Entry): Entry =>
    entry.seq >= CALL.from && entry.seq <= CALL.to ? { ...entry, kind: 'observed', body } : entry;
  return forge(builder, (entries) => entries.map(change), { signer: builder.signer });
}
