import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApi, type ApiUnderTest } from './support/api-under-test.ts';
import { recordPhase, tenantRow } from './support/seed.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const DIRECTORY = '9f4c1f1e-6d0a-4c1b-9c3a-0f6a2b7a1c55';
let counter = 0;
const freshId = () => `tenant-${++counter}`;
async function create(body: Record<string, unknown> = {}): Promise<string> {
  const { body: tenant } = await api.call('POST', '/v1/tenants', { body: { id: freshId(), ...body } });
  return tenant.id;
}

describe('creating a tenant', () => {
  test('answers with the whole tenant and where it is', async () => {
    const created = await api.call('POST', '/v1/tenants', { body: { id: 'contoso', name: 'Contoso' } });
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe('/v1/tenants/contoso');
    expect(created.body).toMatchObject({
      id: 'contoso',
      name: 'Contoso',
      state: 'awaiting_consent',
      phase: 'awaiting_consent',
      paused: false,
      problem: null,
      entraTenantId: null,
      progress: null,
      counts: { users: 0, groups: 0, memberships: 0 },
      lastSync: null,
      asOf: null,
      groupsToSync: [],
      candidate: null,
    });
    expect(created.body.setupUrl).toMatch(new RegExp(`^${api.base}/connect/[\\w.-]+$`));
    expect(await api.call('GET', '/v1/tenants/contoso')).toMatchObject({ status: 200, body: created.body });
  });

  test('starts its workflow', async () => {
    const id = await create();
    expect(api.delivered).toContainEqual(expect.objectContaining({ kind: 'start', tenantId: id }));
  });

  test('makes a readable id where none is given', async () => {
    const { body } = await api.call('POST', '/v1/tenants', { body: {} });
    expect(body.id).toMatch(/^env_[0-9a-hjkmnp-tv-z]{12}$/);
  });

  test('refuses a second one with the same id, and changes nothing', async () => {
    const id = await create({ name: 'First' });
    const second = await api.call('POST', '/v1/tenants', { body: { id, name: 'Second' } });
    expect(second).toMatchObject({ status: 409, body: { type: '/problems/tenant-exists', status: 409 } });
    expect((await api.call('GET', `/v1/tenants/${id}`)).body.name).toBe('First');
  });

  test('takes the groups to sync as a list or as one line of CSV', async () => {
    const groups = async (groupsToSync: unknown) =>
      (await api.call('POST', '/v1/tenants', { body: { groupsToSync } })).body.groupsToSync;
    expect(await groups([' Sales ', 'Research, Development', 'Sales'])).toEqual(['Sales', 'Research, Development']);
    expect(await groups(' Sales , "Research, Development", "The ""A"" team" ')).toEqual([
      'Sales',
      'Research, Development',
      'The "A" team',
    ]);
    expect(await groups('')).toEqual([]);
  });

  test('asks Microsoft which directory a domain belongs to', async () => {
    api.graph.directories.set('contoso.example', { kind: 'directory', id: DIRECTORY });
    api.graph.directories.set('away.example', { kind: 'unavailable' });
    const expecting = (expectedEntraTenant: string) =>
      api.call('POST', '/v1/tenants', { body: { expectedEntraTenant } });
    expect((await expecting('Contoso.example')).body.expectedEntraTenant).toBe(DIRECTORY);
    expect((await expecting(DIRECTORY.toUpperCase())).body.expectedEntraTenant).toBe(DIRECTORY);
    expect(await expecting('nobody.example')).toMatchObject({
      status: 422,
      body: { type: '/problems/unknown-directory' },
    });
    expect(await expecting('away.example')).toMatchObject({ status: 503, body: { type: '/problems/unavailable' } });
  });

  test('tells every fault at once, with a pointer to each', async () => {
    const { status, body } = await api.call('POST', '/v1/tenants', {
      body: {
        id: 'no id',
        name: 'bell\u0007',
        groupsToSync: ['ok', ''],
        expectedEntraTenant: 'not a domain',
        requireApproval: 'yes',
        colour: 'red',
      },
    });
    expect(status).toBe(400);
    expect(body.type).toBe('/problems/invalid-request');
    expect(body.errors.map((error: { pointer: string }) => error.pointer).toSorted()).toEqual([
      '/colour',
      '/expectedEntraTenant',
      '/groupsToSync/1',
      '/id',
      '/name',
      '/requireApproval',
    ]);
    expect(body.errors).toContainEqual({ in: 'body', pointer: '/colour', detail: 'There is no such property.' });
  });

  test.each([
    ['.', 'a dot'],
    ['..', 'two dots'],
    ['', 'nothing'],
    ['a'.repeat(65), '65 characters'],
    ['a/b', 'a slash'],
    ['ä', 'a letter beyond ASCII'],
    [7, 'a number'],
    [null, 'null'],
  ])('refuses %j as an id (%s)', async (id: unknown, _why: string) => {
    const refused = await api.call('POST', '/v1/tenants', { body: { id } });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ in: 'body', pointer: '/id' }] } });
  });

  test.each([
    ['a,"b', 'an open quote'],
    ['a\nb', 'two lines'],
    [{ a: 1 }, 'an object'],
    [[1], 'numbers'],
    ['a,,b', 'an empty field'],

    [['\ud800'], 'half a character'],
    [['nul\u0000'], 'what PostgreSQL cannot keep'],
  ])('refuses %j as groups to sync (%s)', async (groupsToSync: unknown, _why: string) => {
    const { status, body } = await api.call('POST', '/v1/tenants', { body: { groupsToSync } });
    expect(status).toBe(400);
    expect(body.errors[0].pointer).toMatch(/^\/groupsToSync/);
  });
});

test('too many groups to sync are refused', async () => {
  const refused = await api.call('POST', '/v1/tenants', {
    body: { groupsToSync: Array.from({ length: 1001 }, String) },
  });
  expect(refused).toMatchObject({ status: 400, body: { errors: [{ pointer: '/groupsToSync' }] } });
});

describe('a body', () => {
  test.each(['{', '', 'undefined', "{'id':'a'}"])('that is no JSON is refused: %j', async (raw) => {
    const { status, body } = await api.call('POST', '/v1/tenants', { raw });
    expect(status).toBe(400);
    expect(body.type).toBe(raw === '' ? '/problems/invalid-request' : '/problems/invalid-json');
  });

  test.each(['[]', '"text"', 'null', '7'])('that is JSON but no object is refused: %s', async (raw) => {
    const refused = await api.call('POST', '/v1/tenants', { raw });
    expect(refused).toMatchObject({
      status: 400,
      body: { type: '/problems/invalid-request', errors: [{ detail: 'A JSON object is expected.' }] },
    });
  });

  test('of another media type is refused', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1']) {
      const refused = await api.call('POST', '/v1/tenants', { raw: '{}', headers: { 'Content-Type': type } });
      expect(refused).toMatchObject({ status: 415, body: { type: '/problems/unsupported-media-type' } });
    }
  });

  test('that is too large is refused', async () => {
    const refused = await api.call('POST', '/v1/tenants', { body: { name: 'x'.repeat(110_000) } });
    expect(refused).toMatchObject({ status: 413, body: { type: '/problems/content-too-large' } });
  });
});

describe('changing a tenant', () => {
  test('changes what is named, clears what is null, and tells the workflow', async () => {
    const id = await create({ name: 'Old', expectedEntraTenant: DIRECTORY, groupsToSync: ['Sales'] });
    const changed = await api.call('PATCH', `/v1/tenants/${id}`, {
      body: { name: null, expectedEntraTenant: null, requireApproval: true, retainAfterRevocation: 7 },
    });
    expect(changed).toMatchObject({
      status: 200,
      body: {
        name: null,
        expectedEntraTenant: null,
        requireApproval: true,
        retainAfterRevocation: 7,
        groupsToSync: ['Sales'],
      },
    });
    expect(api.delivered.at(-1)).toMatchObject({ kind: 'settings', tenantId: id });
  });

  test('refuses its id and unknown properties', async () => {
    const id = await create();
    const refused = await api.call('PATCH', `/v1/tenants/${id}`, { body: { id: 'other', nam: 'x' } });
    expect(refused.status).toBe(400);
    expect(refused.body.errors).toHaveLength(2);
  });

  test('refuses to expect another directory than the connected one', async () => {
    const id = await create();
    await api.store.consents.bind((await tenantRow(api.store, id)).no, '11111111-2222-4333-8444-555555555555');
    const refused = await api.call('PATCH', `/v1/tenants/${id}`, { body: { expectedEntraTenant: DIRECTORY } });
    expect(refused).toMatchObject({ status: 409, body: { type: '/problems/state-conflict' } });
  });
});

describe('orders', () => {
  test.each(['pause', 'resume', 'revoke'] as const)(
    '%s is committed, delivered and answered with 202',
    async (kind) => {
      const id = await create();
      const ordered = await api.call('POST', `/v1/tenants/${id}/${kind}`);
      expect(ordered).toMatchObject({ status: 202, body: { id } });
      const row = await tenantRow(api.store, id);
      expect(await api.store.intents.open(0)).toContainEqual(expect.objectContaining({ kind, tenantNo: row.no }));
      expect(api.delivered.at(-1)).toMatchObject({ kind, tenantId: id });
    },
  );

  test.each(['sync', 'resync'] as const)('%s needs a directory that may be read', async (kind) => {
    const id = await create();
    const order = () => api.call('POST', `/v1/tenants/${id}/${kind}`);
    expect(await order()).toMatchObject({ status: 409, body: { type: '/problems/state-conflict' } });
    await recordPhase(api.store, id, { phase: 'delta_sync' });
    expect(await order()).toMatchObject({ status: 202 });
    await recordPhase(api.store, id, { paused: true });
    expect(await order()).toMatchObject({ status: 409 });
    await recordPhase(api.store, id, { paused: false, phase: 'revoked' });
    expect(await order()).toMatchObject({ status: 409 });
  });

  test('approve needs a directory that waits, and the one that was looked at', async () => {
    const id = await create();
    const approve = (body?: unknown) =>
      api.call('POST', `/v1/tenants/${id}/approve`, body === undefined ? {} : { body });
    expect(await approve()).toMatchObject({ status: 409, body: { type: '/problems/nothing-to-approve' } });
    const { no } = await tenantRow(api.store, id);
    const at = new Date().toISOString();
    const entraTenantId = '21111111-2222-4333-8444-555555555555';
    await api.store.consents.propose(no, { entraTenantId, account: 'a@b.example', displayName: 'B', domains: [], at });
    expect((await api.call('GET', `/v1/tenants/${id}`)).body.candidate).toMatchObject({
      entraTenantId,
      displayName: 'B',
    });
    expect(await approve({ entraTenantId: DIRECTORY })).toMatchObject({ status: 409 });
    expect(await approve({ entraTenantId })).toMatchObject({ status: 202, body: { entraTenantId, candidate: null } });
  });

  test('approve refuses a directory that another tenant has got since', async () => {
    const [first, second] = [await create(), await create()];
    const entraTenantId = '31111111-2222-4333-8444-555555555555';
    const candidate = { entraTenantId, account: null, displayName: null, domains: [], at: new Date().toISOString() };
    await api.store.consents.propose((await tenantRow(api.store, first)).no, candidate);
    await api.store.consents.bind((await tenantRow(api.store, second)).no, entraTenantId);
    const refused = await api.call('POST', `/v1/tenants/${first}/approve`);
    expect(refused).toMatchObject({ status: 409, body: { type: '/problems/directory-taken' } });
  });
});

describe('deleting a tenant', () => {
  test('answers 202, lets nothing else be done, and frees the id when all is purged', async () => {
    const id = await create();
    const { no } = await tenantRow(api.store, id);
    expect(await api.call('DELETE', `/v1/tenants/${id}`)).toMatchObject({ status: 202, body: { id } });
    expect((await api.call('GET', `/v1/tenants/${id}`)).body.deletingAt).not.toBeNull();
    expect(await api.call('POST', `/v1/tenants/${id}/pause`)).toMatchObject({ status: 409 });
    expect(await api.call('PATCH', `/v1/tenants/${id}`, { body: { name: 'x' } })).toMatchObject({ status: 409 });
    expect(await api.call('DELETE', `/v1/tenants/${id}`)).toMatchObject({ status: 202 });
    expect(await api.call('POST', '/v1/tenants', { body: { id } })).toMatchObject({ status: 409 });
    await api.store.tenants.purge(no, () => undefined);
    expect(await api.call('GET', `/v1/tenants/${id}`)).toMatchObject({ status: 404 });
    expect(await api.call('POST', '/v1/tenants', { body: { id } })).toMatchObject({ status: 201 });
  });
});

describe('reading tenants', () => {
  test('goes through all of them page by page, in order and each once', async () => {
    await create();
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await api.call('GET', `/v1/tenants?limit=3${cursor === null ? '' : `&cursor=${cursor}`}`);
      seen.push(...body.data.map((tenant: { id: string }) => tenant.id));
      cursor = body.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual([...new Set(seen)].toSorted());
    expect((await api.call('GET', '/v1/tenants?limit=1000')).body.data).toHaveLength(seen.length);
  });

  test.each([
    ['/v1/tenants?limit=0', '/limit'],
    ['/v1/tenants?limit=1001', '/limit'],
    ['/v1/tenants?limit=ten', '/limit'],
    ['/v1/tenants?limit=1&limit=2', '/limit'],
    ['/v1/tenants?curser=x', '/curser'],
    ['/v1/tenants/no%20id', '/id'],
  ])('refuses %s', async (path, pointer) => {
    expect(await api.call('GET', path)).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
  });

  test('refuses what is no cursor', async () => {
    const refused = await api.call('GET', '/v1/tenants?cursor=%00%00');
    expect(refused).toMatchObject({ status: 400, body: { type: '/problems/invalid-cursor' } });
  });

  test('says of every route of an unknown tenant that there is none', async () => {
    for (const [route, methods] of Object.entries(api.declared.document.paths)) {
      if (!route.startsWith('/v1/tenants/{id}')) continue;
      const path = route.replace('{id}', 'unknown').replaceAll(/\{\w+\}/g, DIRECTORY);
      for (const method of Object.keys(methods)) {
        const body = route.endsWith('/check') ? { userId: DIRECTORY } : {};
        const hasBody = method === 'patch' || /\/(check|preview)$/.test(route);
        const answer = await api.call(method.toUpperCase(), path, hasBody ? { body } : {});
        expect([route, answer.status, answer.body.type]).toEqual([route, 404, '/problems/tenant-not-found']);
      }
    }
  });
});

describe('diagnostics', () => {
  test('say who must do what, the gravest first', async () => {
    const id = await create();
    await recordPhase(api.store, id, {
      phase: 'consented',
      problem: {
        code: 'permissions_missing',
        since: '2026-11-01T00:00:00.000Z',
        permissions: ['Group.Read.All'],
        requestId: 'r-1',
      },
    });
    const { body } = await api.call('GET', `/v1/tenants/${id}/diagnostics`);
    expect(body.state).toBe('attention');
    expect(body.findings.map(({ code, level }: { code: string; level: string }) => [code, level])).toEqual([
      ['permissions_missing', 'error'],
      ['missing_permissions', 'error'],
      ['egress', 'ok'],
      ['clock', 'ok'],
      ['credential', 'ok'],
      ['consent', 'ok'],
      ['subscriptions', 'ok'],
    ]);
    expect(body.findings[0]).toMatchObject({ who: 'customer administrator', evidence: { requestId: 'r-1' } });
    const { body: tenant } = await api.call('GET', `/v1/tenants/${id}`);
    expect(tenant.problem).toMatchObject({
      code: 'permissions_missing',
      blocking: true,
      who: 'customer administrator',
    });
  });
});

test('a shared directory cannot be taken for one alone while another tenant has it', async () => {
  const [alone, sharing] = [await create(), await create({ sharedDirectory: true })];
  const directory = '41111111-2222-4333-8444-555555555555';
  for (const id of [alone, sharing]) await api.store.consents.bind((await tenantRow(api.store, id)).no, directory);
  const refused = await api.call('PATCH', `/v1/tenants/${sharing}`, { body: { sharedDirectory: false } });
  expect(refused).toMatchObject({ status: 409, body: { type: '/problems/directory-taken' } });
  expect((await api.call('GET', `/v1/tenants/${sharing}`)).body.sharedDirectory).toBe(true);
});
