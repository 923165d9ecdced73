import { randomUUID } from 'node:crypto';
import type { DeltaItem } from '../../../src/domain/directory.ts';
import type { TenantRow } from '../../../src/store/face/tenants.ts';
import type { Store } from '../../../src/store/store.ts';

const HASH = { users: 'u1', groups: 'g1' };

/** An id that is easy to read in a failure. */
export const idOf = (n: number): string => `00000000-0000-4000-8000-${n.toString().padStart(12, '0')}`;

export const user = (n: number, attributes: Record<string, unknown> = {}): DeltaItem => ({
  kind: 'object',
  id: idOf(n),
  attributes: { displayName: `User ${n}`, accountEnabled: true, ...attributes },
  members: [],
});

export const group = (n: number, members: readonly (readonly [number, 'user' | 'group'])[] = []): DeltaItem => ({
  kind: 'object',
  id: idOf(n),
  attributes: { displayName: `Group ${n}`, groupTypes: [] },
  members: members.map(([member, memberType]) => ({ memberId: idOf(member), memberType, removed: false })),
});

export async function tenantRow(store: Store, id: string): Promise<TenantRow> {
  const row = await store.tenants.byId(id);
  if (!row) throw new Error(`There is no tenant ${id}`);
  return row;
}

/** Puts the tenant into a phase, as its workflow would. */
export async function recordPhase(
  store: Store,
  id: string,
  record: Partial<Pick<TenantRow, 'phase' | 'paused' | 'problem'>>,
): Promise<void> {
  const row = await tenantRow(store, id);
  const { phase, paused, problem } = { ...row, ...record };
  await store.tenants.record({ tenantNo: row.no, phase, paused, problem, taken: [] });
}

/** One complete round with these items, by the store's own means. */
export async function round(
  store: Store,
  id: string,
  users: readonly DeltaItem[],
  groups: readonly DeltaItem[],
): Promise<void> {
  const { no, entraTenantId, asOf } = await tenantRow(store, id);
  if (entraTenantId === null) await store.consents.bind(no, randomUUID());
  if (asOf === null) await recordPhase(store, id, { phase: 'syncing' });
  const slice = await store.sync.openSlice({
    tenantNo: no,
    roundId: randomUUID(),
    kind: asOf === null ? 'full' : 'delta',
    queryHash: HASH,
  });
  if (slice === 'halted' || 'completed' in slice) throw new Error('The round did not begin');
  const fences = [slice.feeds.users.fence, slice.feeds.groups.fence];
  await store.sync.applyPages(slice.feeds.users.fence, [{ items: users, deltaLink: 'https://graph.example/users' }]);
  await store.sync.applyPages(slice.feeds.groups.fence, [{ items: groups, deltaLink: 'https://graph.example/groups' }]);
  await store.sync.applyRemovals(fences, () => undefined, new AbortController().signal);
  await store.sync.completeRound(fences);
  await recordPhase(store, id, { phase: 'delta_sync' });
}
