import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { PROBLEM_CODES } from '../../src/domain/problem.ts';
import type { TenantRow } from '../../src/store/face/tenants.ts';
import type { Store } from '../../src/store/store.ts';
import type { Backend } from './backend.ts';
import {
  boundTenant,
  eventsAfter,
  fencesOf,
  G,
  joins,
  liveTenant,
  newTenant,
  object,
  openRound,
  runRound,
  U,
} from './rounds.ts';

const hash = () => Buffer.from(randomUUID());
const soon = () => new Date(Date.now() + 60_000);

async function createTenant(store: Store, id = `t-${randomUUID()}`): Promise<TenantRow> {
  const created = await store.tenants.create(newTenant(id));
  if (created === 'name_taken') throw new Error('The name is taken');
  return created.tenant;
}

/** Environments, what the API wants of them, their consents and tokens. */
export function tenantsSuite(backend: () => Backend): void {
  const store = () => backend().store;

  describe('a sign-in code', () => {
    test('is redeemed once and in time, and swept when its time is over', async () => {
      const { no } = await boundTenant(store());
      const who = {
        tenantNo: no,
        entraTenantId: randomUUID(),
        userId: U(1),
        returnTo: 'https://a.example/',
        authTime: null,
      };
      const [code, late, dated] = [hash(), hash(), hash()];
      await store().signIns.issue(code, who, 60_000);
      await store().signIns.issue(late, who, -1);
      await store().signIns.issue(dated, { ...who, authTime: '2026-01-02T03:04:05.000Z' }, 60_000);
      const answers = await Promise.all([code, code, late].map((one) => store().signIns.redeem(one)));
      expect(answers.filter((answer) => answer !== undefined)).toEqual([{ ...who, signedInAt: expect.any(String) }]);
      expect(await store().signIns.redeem(dated)).toMatchObject({ authTime: '2026-01-02T03:04:05.000Z' });
      await store().signIns.sweep();
      expect(await store().signIns.redeem(late)).toBeUndefined();
    });

    test('finds people who are soft-deleted, and says so', async () => {
      const { no } = await boundTenant(store());
      await runRound(store(), no, { kind: 'full', users: [[object(U(1)), object(U(2))]] });
      await runRound(store(), no, { users: [[{ kind: 'removed', id: U(2), reason: 'changed' }]] });
      expect(await store().signIns.person(no, U(1))).toMatchObject({ deleted: false });
      expect(await store().signIns.person(no, U(2))).toMatchObject({ deleted: true });
      expect(await store().signIns.person(no, U(3))).toBeUndefined();
    });
  });

  describe('a tenant', () => {
    test('is created once under a name, with the intent that starts it', async () => {
      const id = `t-${randomUUID()}`;
      const wanted = newTenant(id, { name: 'Contoso', groupsToSync: ['All, and more'], requireApproval: true });
      const created = await store().tenants.create(wanted);
      if (created === 'name_taken') throw new Error('The name is taken');
      expect(created.tenant).toMatchObject({
        ...wanted,
        phase: 'awaiting_consent',
        state: 'awaiting_consent',
        round: null,
      });
      expect(created.intent).toMatchObject({ tenantNo: created.tenant.no, kind: 'start' });
      expect(await store().tenants.create(wanted)).toBe('name_taken');
      expect(await store().tenants.byId(id)).toEqual(created.tenant);
      expect(await store().tenants.byNo(created.tenant.no)).toEqual(created.tenant);
      expect(await store().tenants.byId('nobody')).toBeUndefined();
    });

    test('is changed in the parts that are given', async () => {
      const { no } = await createTenant(store());
      await store().tenants.update(no, { name: 'New', groupsToSync: ['a'] });
      await store().tenants.update(no, { requireApproval: true, name: null });
      expect(await liveTenant(store(), no)).toMatchObject({ name: null, groupsToSync: ['a'], requireApproval: true });
    });

    test('is listed in pages by name', async () => {
      const ids = ['c', 'a', 'b'].map((letter) => `~${letter}`);
      for (const id of ids) await createTenant(store(), id);
      const first = await store().tenants.list('~', 2);
      expect([first.data.map((row) => row.id), first.next]).toEqual([['~a', '~b'], '~b']);
      const second = await store().tenants.list('~b', 2);
      expect([second.data.map((row) => row.id), second.next]).toEqual([['~c'], null]);
    });

    test('tells each new state once, and ticks the intents that led to it', async () => {
      const tenant = await createTenant(store());
      const { no, id } = tenant;
      const intent = await store().intents.add(no, 'pause');
      const cursor = await store().feed.head();
      const record = { tenantNo: no, phase: 'syncing', paused: true, problem: null, taken: [intent.id] } as const;
      await store().tenants.record(record);
      await store().tenants.record(record);
      await store().tenants.record({
        ...record,
        paused: false,
        problem: { code: 'throttled', since: '2026-01-01T00:00:00Z' },
      });
      const problem = { code: 'graph_refused', since: '2026-01-01T00:00:00Z', requestId: 'r' } as const;
      await store().tenants.record({ ...record, paused: false, problem });
      const events = await eventsAfter(store(), cursor, no);
      expect(events.map((event) => [event.type, event.subject])).toEqual(
        Array.from({ length: 3 }, () => ['tenant.state_changed', { kind: 'tenant', id }]),
      );
      expect(events.map((event) => event.data)).toEqual([
        {
          id,
          name: null,
          state: 'paused',
          phase: 'syncing',
          paused: true,
          problem: null,
          previousState: 'awaiting_consent',
        },
        expect.objectContaining({
          state: 'syncing',
          previousState: 'paused',
          problem: expect.objectContaining({ blocking: false }),
        }),
        expect.objectContaining({
          state: 'attention',
          problem: expect.objectContaining({ ...problem, who: 'customer administrator' }),
        }),
      ]);
      expect(await liveTenant(store(), no)).toMatchObject({ state: 'attention', problem });
      const open = await store().intents.open(0);
      expect(open.filter((row) => row.tenantNo === no).map((row) => row.kind)).toEqual(['start']);
      expect((await store().tenants.countByState())['attention']).toBeGreaterThan(0);
      expect(PROBLEM_CODES).toContain(problem.code);
    });

    test('loses its token when it is revoked', async () => {
      const { no } = await createTenant(store());
      const expiresAt = soon();
      await store().tokens.put(no, Buffer.from('old'), soon());
      await store().tokens.put(no, Buffer.from('sealed'), expiresAt);
      const token = await store().tokens.get(no);
      expect(token?.expiresAt).toEqual(expiresAt);
      expect(Buffer.from(token?.sealed ?? []).toString()).toBe('sealed');
      await store().tenants.record({ tenantNo: no, phase: 'revoked', paused: false, problem: null, taken: [] });
      expect(await store().tokens.get(no)).toBeUndefined();
    });
  });

  describe('a purge', () => {
    test('leaves only the tombstone, tells it, and frees the name', async () => {
      const tenant = await boundTenant(store());
      const { no, id } = tenant;
      await store().tenants.update(no, { name: 'Planted Canary' });
      await store().tokens.put(no, Buffer.from('x'), soon());
      await store().consents.begin(
        hash(),
        { tenantNo: no, step: 'consent', browserHash: hash(), entraTenant: null, sealed: null },
        soon(),
      );
      const page = { users: [[object(U(1), { displayName: 'Canary' })]], groups: [[object(G(1), {}, [joins(U(1))])]] };
      await runRound(store(), no, page);
      await runRound(store(), no, { users: [[object(U(1), { displayName: 'Canary Bird' })]] });
      const slice = await store().sync.openSlice({
        tenantNo: no,
        roundId: 'late',
        kind: 'full',
        queryHash: { users: '', groups: '' },
      });
      await store().intents.add(no, 'delete');
      const cursor = await store().feed.head();
      let beats = 0;
      await store().tenants.purge(no, () => beats++);
      await store().tenants.purge(no, () => beats++);
      expect(beats).toBeGreaterThan(0);
      const events = await eventsAfter(store(), cursor);
      expect(events.filter((event) => event.tenant === id)).toMatchObject([
        { type: 'tenant.deleted', subject: { id }, data: { id } },
      ]);
      if (slice === 'halted' || 'completed' in slice) throw new Error('No slice');
      expect(await store().sync.applyPages(slice.feeds.users.fence, [{ items: [object(U(2))], deltaLink: 'x' }])).toBe(
        'superseded',
      );
      await store().tokens.put(no, Buffer.from('late'), soon());
      await store().tenants.record({ tenantNo: no, phase: 'syncing', paused: false, problem: null, taken: [] });
      expect(await whatIsLeftOf(backend(), no)).toEqual({ tenant: 1, event: expect.any(Number) });
      expect(await searchAll(backend(), 'Canary')).toEqual([]);
      expect(await store().tenants.byNo(no)).toBeUndefined();
      const again = await createTenant(store(), id);
      expect(again.no).toBeGreaterThan(no);
      await expect(store().intents.add(no, 'sync')).rejects.toThrow(/no tenant/);
    });
  });

  describe('the mirror of a revoked tenant', () => {
    const revoke = (no: number) =>
      store().tenants.record({ tenantNo: no, phase: 'revoked', paused: false, problem: null, taken: [] });
    const purge = (no: number) => store().tenants.purgeRevoked(no, () => undefined);

    test('is kept for as long as the tenant says, counted from the revocation', async () => {
      const { no } = await boundTenant(store());
      expect(await purge(no)).toEqual({ purged: false, dueAt: null });
      await runRound(store(), no, { users: [[object(U(1))]] });
      await revoke(no);
      const { purged, dueAt } = await purge(no);
      expect(purged).toBe(false);
      const days = (Date.parse(dueAt ?? '') - Date.now()) / 86_400_000;
      expect(days).toBeGreaterThan(29.9);
      expect(days).toBeLessThanOrEqual(30);
      await store().tenants.update(no, { retainDays: 90 });
      await revoke(no);
      expect(Date.parse((await purge(no)).dueAt ?? '') - Date.parse(dueAt ?? '')).toBe(60 * 86_400_000);
      expect((await liveTenant(store(), no)).counts.users).toBe(1);
    });

    test('is purged then, with one event, and begins anew if consent is given again', async () => {
      const { no, id, entraTenantId } = await boundTenant(store());
      await store().tenants.update(no, { retainDays: 0 });
      const page = { users: [[object(U(1), { displayName: 'Canary' })]], groups: [[object(G(1), {}, [joins(U(1))])]] };
      await runRound(store(), no, page);
      await runRound(store(), no, { users: [[object(U(1), { displayName: 'Canary Bird' })]] });
      // What an entry of the groups to sync may mean are names of the directory, too.
      await store().tenants.update(no, { groupsToSync: ['Twins'] });
      const twins = [1, 2].map((n) => ({ id: G(n), displayName: 'Canary twins', mail: null }));
      await store().sync.groupFound(fencesOf(await openRound(store(), no)), 'Twins', twins);
      expect(await searchAll(backend(), 'Canary twins')).not.toEqual([]);
      await revoke(no);
      const cursor = await store().feed.head();
      expect(await purge(no)).toEqual({ purged: true, dueAt: null });
      expect(await purge(no)).toEqual({ purged: false, dueAt: null });
      expect(await eventsAfter(store(), cursor, no)).toMatchObject([
        { type: 'tenant.purged', subject: { kind: 'tenant', id }, data: { id }, reason: 'purge' },
      ]);
      expect(await searchAll(backend(), 'Canary')).toEqual([]);
      const kept = await liveTenant(store(), no);
      const nothing = { counts: { users: 0, groups: 0, memberships: 0 }, asOf: null, lastSync: null };
      expect(kept).toMatchObject({ phase: 'revoked', entraTenantId, ...nothing });
      await store().tenants.record({ tenantNo: no, phase: 'syncing', paused: false, problem: null, taken: [] });
      expect(await runRound(store(), no, page)).toMatchObject({ kind: 'full' });
      await revoke(no);
      expect(await purge(no)).toMatchObject({ purged: true });
    });
  });

  describe('an intent', () => {
    test('stays open until it is ticked, and later ones have the higher number', async () => {
      const { no, id } = await createTenant(store());
      const first = await store().intents.add(no, 'sync');
      const second = await store().intents.add(no, 'resync');
      expect(second.seq).toBeGreaterThan(first.seq);
      const open = async (ageMs: number) => (await store().intents.open(ageMs)).filter((row) => row.tenantNo === no);
      expect(await open(60_000)).toEqual([]);
      expect((await open(0)).map((row) => [row.kind, row.tenantId])).toEqual([
        ['start', id],
        ['sync', id],
        ['resync', id],
      ]);
      await store().intents.tick([first.id, randomUUID()]);
      expect((await open(0)).map((row) => row.kind)).toEqual(['start', 'resync']);
    });
  });

  describe('a consent', () => {
    test('state is used up once, by the browser that began it', async () => {
      const { no } = await createTenant(store());
      const [state, browser] = [hash(), hash()];
      const attempt = {
        tenantNo: no,
        step: 'proof',
        browserHash: browser,
        entraTenant: randomUUID(),
        sealed: Buffer.from('s'),
      } as const;
      await store().consents.begin(state, attempt, soon());
      expect(await store().consents.use(hash(), browser)).toBe('unknown');
      expect(await store().consents.use(state, hash())).toBe('other_browser');
      const all = await Promise.all([1, 2, 3].map(() => store().consents.use(state, browser)));
      expect(all.filter((outcome) => outcome === 'used')).toHaveLength(2);
      const used = all.find((outcome) => typeof outcome === 'object');
      expect(used).toMatchObject({ tenantNo: no, step: 'proof', entraTenant: attempt.entraTenant });
      expect(Buffer.from(used?.sealed ?? []).toString()).toBe('s');
    });

    test('state expires, and dies with its tenant', async () => {
      const { no } = await createTenant(store());
      const [late, orphan, browser] = [hash(), hash(), hash()];
      const attempt = { tenantNo: no, step: 'consent', browserHash: browser, entraTenant: null, sealed: null } as const;
      await store().consents.begin(late, attempt, new Date(Date.now() - 1000));
      await store().consents.begin(orphan, attempt, soon());
      expect(await store().consents.use(late, browser)).toBe('expired');
      await store().intents.add(no, 'delete');
      expect(await store().consents.use(orphan, browser)).toBe('unknown');
      await sql`UPDATE consent_attempt SET expires_at = now() - interval '2 days' WHERE state_hash = ${late}::bytea`.execute(
        backend().db,
      );
      await store().consents.sweep();
      const { rows } = await sql`SELECT 1 FROM consent_attempt WHERE tenant_no = ${no}`.execute(backend().db);
      expect(rows).toHaveLength(1);
    });

    test('binds one directory to one environment', async () => {
      const [one, two] = [await createTenant(store()), await createTenant(store())];
      const directory = randomUUID();
      const outcomes = await Promise.all([one, two].map(({ no }) => store().consents.bind(no, directory)));
      expect(outcomes.filter((outcome) => outcome === 'directory_taken')).toHaveLength(1);
      const bound = outcomes[0] === 'directory_taken' ? two : one;
      expect((await liveTenant(store(), bound.no)).entraTenantId).toBe(directory);
      expect(await store().consents.bind(bound.no, directory.toUpperCase())).toHaveProperty('kind', 'consent');
      expect(await store().consents.bind(bound.no, randomUUID())).toBe('bound_to_another');
      const shared = await store().tenants.create(newTenant(randomUUID(), { sharedDirectory: true }));
      if (shared === 'name_taken') throw new Error('The name is taken');
      expect(await store().consents.bind(shared.tenant.no, directory)).toHaveProperty('kind', 'consent');
    });

    test('that was begun by a set-up link which was replaced meanwhile binds and proposes nothing', async () => {
      const { no, linkSerial } = await createTenant(store());
      const directory = randomUUID();
      const candidate = { entraTenantId: directory, account: null, displayName: null, domains: [], at: '' };
      await store().tenants.replaceLink(no, 'renew');
      expect(await store().consents.bind(no, directory, { linkSerial, groups: ['a'] })).toBe('link_revoked');
      expect(await store().consents.propose(no, candidate, { linkSerial })).toBe('link_revoked');
      await store().tenants.replaceLink(no, 'revoke');
      expect(await store().consents.bind(no, directory, { linkSerial: linkSerial + 1 })).toBe('link_revoked');
      const row = await liveTenant(store(), no);
      expect(row).toMatchObject({ linkRevoked: true, entraTenantId: null, candidate: null, groupsToSync: [] });
      await store().tenants.replaceLink(no, 'renew');
      const begun = { linkSerial: linkSerial + 3 };
      expect(await store().consents.bind(no, directory, begun)).toHaveProperty('kind', 'consent');
      expect(await liveTenant(store(), no)).toMatchObject({ linkRevoked: false, entraTenantId: directory });
    });

    test('without proof waits for approval', async () => {
      const { no } = await createTenant(store());
      expect(await store().consents.approve(no)).toBe('nothing_to_approve');
      const candidate = {
        entraTenantId: randomUUID(),
        account: 'ada@x',
        displayName: 'X',
        domains: ['x'],
        at: '2026-01-01T00:00:00.000Z',
      };
      expect(await store().consents.propose(no, candidate)).toHaveProperty('kind', 'consent');
      expect(await liveTenant(store(), no)).toMatchObject({ candidate, entraTenantId: null });
      expect(await store().consents.approve(no)).toHaveProperty('kind', 'consent');
      expect(await liveTenant(store(), no)).toMatchObject({ candidate: null, entraTenantId: candidate.entraTenantId });
      const other = await createTenant(store());
      expect(await store().consents.propose(other.no, candidate)).toBe('directory_taken');
    });
  });
}

async function whatIsLeftOf({ db }: Backend, no: number): Promise<Record<string, number>> {
  const left: Record<string, number> = {};
  for (const table of await tablesOf(db)) {
    const { rows } = await sql<{ n: number }>`
      SELECT count(*) AS n FROM ${sql.table(table)} t WHERE coalesce(to_jsonb(t)->>'tenant_no', to_jsonb(t)->>'no') = ${String(no)}`.execute(
      db,
    );
    if (rows[0] && rows[0].n > 0) left[table] = rows[0].n;
  }
  return left;
}

async function searchAll({ db }: Backend, text: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const table of await tablesOf(db)) {
    const { rows } = await sql`SELECT 1 FROM ${sql.table(table)} t WHERE to_jsonb(t)::text LIKE ${`%${text}%`}`.execute(
      db,
    );
    if (rows.length > 0) found.push(table);
  }
  return found;
}

async function tablesOf(db: Backend['db']): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name NOT LIKE 'kysely%'`.execute(db);
  return rows.map((row) => row.name);
}
