import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { keepSubscriptions } from '../../src/activities/keep-subscriptions.ts';
import { createGraph } from '../../src/graph/graph.ts';
import { json, reset, scriptedFetch, type Script, type SeenRequest } from '../graph/scripted-fetch.ts';
import { pgliteBackend, type Backend } from '../store/backend.ts';
import { SliceBench } from './slice-bench.ts';

const BASE = 'https://sync.example.com';
const DAY_MS = 24 * 3_600_000;

let backend: Backend;
let bench: SliceBench;
let seen: SeenRequest[];
let existing: { id: string; resource: string; notificationUrl: string }[];
/** What Graph does in place of what it should. */
let instead: Script | undefined;

beforeAll(async () => {
  backend = await pgliteBackend();
});
afterAll(() => backend.close());
beforeEach(async () => {
  bench = await SliceBench.open(backend.store);
  existing = [];
  instead = undefined;
  seen = [];
});

/** Graph as far as subscriptions go. */
const graph: Script = (request) => {
  const id = new URL(request.url).pathname.split('/')[3];
  const body = (request.body === '' ? {} : JSON.parse(request.body)) as Record<string, string>;
  if (request.method === 'GET') return json({ value: existing });
  if (request.method === 'POST') {
    const resource = body['resource'] ?? '';
    if (existing.some((one) => one.resource === resource)) return json({ error: { code: 'Conflict' } }, 409);
    const made = {
      id: `${resource.slice(1)}-${seen.length}`,
      resource,
      notificationUrl: body['notificationUrl'] ?? '',
    };
    existing.push(made);
    return json({ ...made, expirationDateTime: body['expirationDateTime'] }, 201);
  }
  const found = existing.find((one) => one.id === id);
  if (!found) return json({ error: { code: 'ResourceNotFound' } }, 404);
  if (request.method === 'PATCH') return json({ ...found, expirationDateTime: body['expirationDateTime'] });
  existing = existing.filter((one) => one !== found);
  return new Response(null, { status: 204 });
};

function keep(notificationUrl: string | null = BASE) {
  const scripted = scriptedFetch((request) => {
    seen.push(request);
    return (instead ?? graph)(request);
  });
  const credential = { kind: 'secret', secret: 's' } as const;
  const deps = {
    ...bench.deps,
    notificationUrl: notificationUrl ?? undefined,
    graph: createGraph({ clientId: 'app', credential, cloud: 'global', fetch: scripted.fetch }),
  };
  return keepSubscriptions(deps, { tenantNo: bench.tenantNo }, { signal: bench.stop.signal });
}
const asked = () => seen.splice(0).map(({ method, url }) => `${method} ${new URL(url).pathname}`);
const dueIn = async () => {
  const row = await backend.db
    .selectFrom('notification_state')
    .select('keep_at')
    .where('tenant_no', '=', bench.tenantNo)
    .executeTakeFirst();
  const keepAt = row?.keep_at ?? null;
  return keepAt === null ? null : Date.parse(keepAt) - bench.clock.now();
};

describe('the subscriptions of a tenant', () => {
  it('are made, one for users and one for groups, with a secret of their own that is kept as a hash', async () => {
    expect(await keep()).toEqual({ kept: 'ok', begun: true });
    const bodies = seen.map(({ body }) => JSON.parse(body) as Record<string, string>);
    expect(bodies).toMatchObject(
      ['/users', '/groups'].map((resource) => ({
        resource,
        changeType: 'updated,deleted',
        notificationUrl: `${BASE}/graph/notifications`,
        lifecycleNotificationUrl: `${BASE}/graph/lifecycle`,
      })),
    );
    const [first, second] = bodies.map((body) => body['clientState'] ?? '');
    expect(first).not.toBe(second);
    expect(first?.length).toBeLessThanOrEqual(128);
    const rows = await backend.db
      .selectFrom('subscription')
      .selectAll()
      .where('tenant_no', '=', bench.tenantNo)
      .execute();
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toContain(first);
  });

  it('are renewed at about half of their life', async () => {
    await keep();
    expect(await dueIn()).toBeLessThanOrEqual(1.5 * DAY_MS);
    expect(await dueIn()).toBeGreaterThan(1.3 * DAY_MS);
    const [before] = await backend.store.subscriptions.of(bench.tenantNo);
    asked();
    bench.clock.advance(1.5 * DAY_MS);
    await bench.putToken(3_600_000);
    expect(await keep()).toEqual({ kept: 'ok', begun: false });
    expect(asked().every((each) => each.startsWith('PATCH'))).toBe(true);
    const [after] = await backend.store.subscriptions.of(bench.tenantNo);
    expect(after?.id).toBe(before?.id);
    expect((after?.expiresAt.getTime() ?? 0) - (before?.expiresAt.getTime() ?? 0)).toBe(1.5 * DAY_MS);
  });

  it('are made anew where one has gone in silence', async () => {
    await keep();
    existing = existing.filter(({ resource }) => resource !== '/users');
    expect(await keep()).toEqual({ kept: 'ok', begun: true });
    expect(existing).toHaveLength(2);
  });

  it('replace one that was made and never written down, and never another installation’s', async () => {
    existing = [{ id: 'lost', resource: '/users', notificationUrl: `${BASE}/graph/notifications` }];
    expect(await keep()).toEqual({ kept: 'ok', begun: true });
    expect(existing.map(({ id }) => id)).not.toContain('lost');
    await keep(null);
    existing = [
      { id: 'theirs', resource: '/users', notificationUrl: 'https://staging.example.com/graph/notifications' },
    ];
    expect(await keep()).toMatchObject({ kept: 'failing' });
    expect(existing.map(({ id }) => id)).toContain('theirs');
  });

  it('move with the address', async () => {
    await keep();
    expect(await keep('https://other.example.com')).toEqual({ kept: 'ok', begun: true });
    expect(existing.map(({ notificationUrl }) => new URL(notificationUrl).host)).toEqual([
      'other.example.com',
      'other.example.com',
    ]);
  });

  it.each([
    ['the address cannot be reached', () => json({ error: { code: 'ValidationError' } }, 400)],
    ['Graph is away', () => json({}, 503)],
    ['the connection breaks', reset],
    ['a quota is used up', () => json({ error: { code: 'Forbidden' } }, 403)],
  ])('are no failure of a round where %s: tried again later and later', async (_, answer) => {
    instead = answer;
    const first = await keep();
    expect(first).toMatchObject({ kept: 'failing', begun: false });
    expect(await dueIn()).toBe(60_000);
    expect((await keep()).failingSince).toBe(first.failingSince);
    expect(await dueIn()).toBe(120_000);
    instead = undefined;
    expect(await keep()).toEqual({ kept: 'ok', begun: true });
  });

  it('are deleted when the tenant is revoked or deleted, and when there is no address any more', async () => {
    await keep();
    expect(await keep(null)).toEqual({ kept: 'off', begun: false });
    expect([existing, await dueIn()]).toEqual([[], null]);
    await keep();
    await backend.store.intents.add(bench.tenantNo, 'delete');
    expect(await keep()).toEqual({ kept: 'off', begun: false });
    expect(existing).toEqual([]);
    expect(await backend.store.subscriptions.of(bench.tenantNo)).toEqual([]);
  });
});
