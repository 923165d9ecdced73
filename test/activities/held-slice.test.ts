import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { PresenceOutcome } from '../../src/graph/presence.ts';
import { pgliteBackend, type Backend } from '../store/backend.ts';
import { U } from '../store/rounds.ts';
import { page, SliceBench } from './slice-bench.ts';

const PEOPLE = Array.from({ length: 60 }, (_, n) => ({ id: U(n + 1), displayName: `Person ${n + 1}` }));

let backend: Backend;
let bench: SliceBench;
beforeAll(async () => {
  backend = await pgliteBackend();
});
afterAll(() => backend.close());
beforeEach(async () => {
  bench = await SliceBench.open(backend.store);
  await bench.firstRound(PEOPLE);
  const gone = PEOPLE.slice(0, 40).map(({ id }) => ({ id, '@removed': { reason: 'changed' } }));
  bench.graph.on('users', 'delta 1', page('users', gone, { delta: 'delta 2' }));
  bench.graph.on('users', 'delta 2', page('users', [], { delta: 'delta 2' }));
});

/** A slice in which each fresh read is answered so. */
function slice(id: string, presence: () => PresenceOutcome) {
  const graph = { ...bench.deps.graph, presence: async () => presence() };
  return bench.slice(id, 'delta', { graph });
}
const users = async () => (await bench.mirrored()).users.length;
const held = () => backend.store.held.summary(bench.tenantNo);

describe('a slice with more removals than the guard lets pass', () => {
  it('holds them when a fresh read agrees, and completes the round', async () => {
    const outcome = await slice('r1', () => ({ kind: 'absent' }));
    expect(outcome).toMatchObject({ outcome: 'completed', heldSince: expect.any(String) });
    expect(await held()).toMatchObject({ counts: { users: 40 }, sample: { read: 20, stillThere: 0 } });
    expect(await users()).toBe(60);
    expect(await slice('r1', () => ({ kind: 'absent' }))).toEqual(outcome);
    expect(await slice('r2', () => ({ kind: 'absent' }))).toMatchObject({ heldSince: expect.any(String) });
  });

  it('does not believe a delta feed that a fresh read contradicts, and reads everything again', async () => {
    expect(await slice('r1', () => ({ kind: 'present' }))).toMatchObject({ outcome: 'unfinished', kind: 'full' });
    expect(await held()).toBeUndefined();
    expect(await slice('r1', () => ({ kind: 'present' }))).not.toHaveProperty('heldSince');
    expect(await users()).toBe(60);
  });

  it('holds what a full round does not see, whatever a fresh read says', async () => {
    bench.graph.on('users', 'start', page('users', [], { delta: 'delta 2' }));
    await slice('r1', () => ({ kind: 'present' }));
    expect(await slice('r1', () => ({ kind: 'present' }))).toMatchObject({ outcome: 'completed', kind: 'full' });
    expect(await held()).toMatchObject({ counts: { users: 60 }, sample: { read: 20, stillThere: 20 } });
    expect(await users()).toBe(60);
  });

  it('waits, applying nothing, where Graph gives no answer', async () => {
    expect(await slice('r1', () => ({ kind: 'throttled', retryAfterMs: 70_000 }))).toEqual({
      outcome: 'throttled',
      kind: 'delta',
      retryAfterMs: 70_000,
    });
    // Stored for all workers, and over.
    bench.clock.advance(70_000);
    await expect(slice('r1', () => ({ kind: 'unavailable' }))).rejects.toThrow('cannot be reached');
    expect(await slice('r1', () => ({ kind: 'token_rejected' }))).toMatchObject({ outcome: 'token_needed' });
    expect([await users(), await held()]).toEqual([60, undefined]);
    await bench.putToken(3_600_000);
    expect(await slice('r1', () => ({ kind: 'unknown' }))).toMatchObject({ outcome: 'completed' });
    expect(await held()).toMatchObject({ counts: { users: 40 }, sample: { read: 0, stillThere: 0 } });
  });
});
