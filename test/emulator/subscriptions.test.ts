import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Receiver } from '../support/receiver.ts';
import { violations } from './metadata-check.ts';
import { startTestEmulator, type JsonObject, type TestEmulator, type TestTenant } from './test-emulator.ts';

const MINUTE_MS = 60_000;
const inMinutes = (minutes: number) => new Date(Date.now() + minutes * MINUTE_MS).toISOString();

let emulator: TestEmulator;
let receiver: Receiver;
let tenant: TestTenant;
let token: string;

beforeAll(async () => {
  emulator = await startTestEmulator();
});
afterAll(() => emulator.close());
beforeEach(async () => {
  await emulator.control('POST', 'reset');
  receiver = await Receiver.start();
  tenant = await emulator.createConsentedTenant({ settings: { allowHttpNotifications: true } });
  token = await emulator.graphToken(tenant.id);
});
afterEach(() => receiver.close());

async function call(method: string, path: string, body?: unknown) {
  const response = await fetch(`${emulator.url}/v1.0${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = (text === '' ? {} : JSON.parse(text)) as JsonObject & { error?: { code: string; message: string } };
  return { status: response.status, json, code: json.error?.code, message: json.error?.message };
}

const wanted = (change: JsonObject = {}): JsonObject => ({
  changeType: 'updated,deleted',
  notificationUrl: `${receiver.url}/notify?of=us`,
  lifecycleNotificationUrl: `${receiver.url}/lifecycle`,
  resource: '/users',
  expirationDateTime: inMinutes(60),
  clientState: 'a secret',
  ...change,
});
const subscribe = (change?: JsonObject) => call('POST', '/subscriptions', wanted(change));
const control = (method: string, path: string, body?: unknown) =>
  emulator.control(method, `tenants/${tenant.id}/${path}`, body);

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`Waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a subscription', () => {
  it('is made after both addresses gave the decoded token back, and fits the metadata', async () => {
    const { status, json } = await subscribe();
    expect(status).toBe(201);
    expect(receiver.validated).toEqual(['/notify', '/lifecycle']);
    expect(violations('microsoft.graph.subscription', json)).toEqual([]);
    expect(json).toMatchObject({ resource: '/users', changeType: 'updated,deleted', clientState: 'a secret' });
    expect(await call('GET', `/subscriptions/${String(json['id'])}`)).toMatchObject({ status: 200, json });
    expect((await call('GET', '/subscriptions')).json['value']).toMatchObject([{ id: json['id'] }]);
  });

  it.each([
    [
      'an address that does not answer 200',
      (_: string, r: Parameters<Receiver['validate']>[1]) => r.writeHead(404).end(),
    ],
    [
      'a token given back still encoded',
      (t: string, r: Parameters<Receiver['validate']>[1]) =>
        r.writeHead(200, { 'Content-Type': 'text/plain' }).end(encodeURIComponent(t)),
    ],
    [
      'a token given back as HTML',
      (t: string, r: Parameters<Receiver['validate']>[1]) => r.writeHead(200, { 'Content-Type': 'text/html' }).end(t),
    ],
  ])('is refused for %s', async (_, validate) => {
    receiver.validate = (given, response) => void validate(given, response);
    expect(await subscribe()).toMatchObject({ status: 400, code: 'ValidationError' });
    expect((await control('GET', 'subscriptions'))['data']).toEqual([]);
  });

  it('needs https, unless http on loopback was switched on', async () => {
    expect(await subscribe({ notificationUrl: 'http://example.com/' })).toMatchObject({ status: 400 });
    await control('PATCH', 'settings', { allowHttpNotifications: false });
    expect(await subscribe()).toMatchObject({ status: 400, code: 'ValidationError' });
  });

  it('knows updated and deleted only, and needs what Graph needs', async () => {
    expect((await subscribe({ changeType: 'created' })).status).toBe(400);
    expect((await subscribe({ resource: '/me/messages' })).status).toBe(400);
    expect((await subscribe({ clientState: 'x'.repeat(129) })).status).toBe(400);
    expect((await subscribe({ expirationDateTime: undefined })).status).toBe(400);
  });

  it('lives 41,760 minutes at most and 45 at least', async () => {
    expect((await subscribe({ expirationDateTime: inMinutes(41_770) })).status).toBe(400);
    expect((await subscribe({ expirationDateTime: inMinutes(-1) })).status).toBe(400);
    const { json } = await subscribe({ expirationDateTime: inMinutes(5) });
    const minutes = (Date.parse(String(json['expirationDateTime'])) - Date.now()) / MINUTE_MS;
    expect(minutes).toBeGreaterThan(44.5);
    expect(minutes).toBeLessThanOrEqual(45);
  });

  it('is there once for an application, a resource and its change types', async () => {
    await subscribe();
    expect(await subscribe({ resource: 'users', changeType: 'deleted,updated' })).toMatchObject({ status: 409 });
    expect((await subscribe({ resource: '/groups' })).status).toBe(201);
  });

  it('needs the permission to read what it watches', async () => {
    const other = await emulator.createConsentedTenant({ domain: 'fabrikam.com' }, ['User.Read.All']);
    token = await emulator.graphToken(other.id);
    expect(await subscribe({ resource: '/groups' })).toMatchObject({
      status: 403,
      code: 'Authorization_RequestDenied',
    });
  });

  it('is counted against a quota', async () => {
    for (let n = 0; n < 100; n++) {
      const id = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
      expect((await subscribe({ resource: `/users/${id}`, lifecycleNotificationUrl: null })).status).toBe(201);
    }
    expect(await subscribe()).toMatchObject({ status: 403, message: expect.stringContaining('100') });
  });

  it('is renewed, reauthorized, deleted, and gone when it expired or belongs to another directory', async () => {
    const { json } = await subscribe();
    const path = `/subscriptions/${String(json['id'])}`;
    const renewed = await call('PATCH', path, { expirationDateTime: inMinutes(600) });
    expect(Date.parse(String(renewed.json['expirationDateTime']))).toBeGreaterThan(Date.now() + 599 * MINUTE_MS);
    expect((await call('POST', `${path}/reauthorize`)).status).toBe(204);
    const own = token;
    token = await emulator.graphToken((await emulator.createConsentedTenant({ domain: 'fabrikam.com' })).id);
    expect((await call('GET', path)).status).toBe(404);
    token = own;
    expect((await call('DELETE', path)).status).toBe(204);
    expect(await call('PATCH', path, { expirationDateTime: inMinutes(60) })).toMatchObject({ status: 404 });
    await subscribe();
    await emulator.control('POST', 'clock', { advanceMs: 61 * MINUTE_MS });
    expect((await control('GET', 'subscriptions'))['data']).toEqual([]);
  });
});

describe('a change', () => {
  it('is told to the address with its query, with the state and the directory, and is in delta by then', async () => {
    const { json } = await subscribe();
    await subscribe({ resource: '/groups', lifecycleNotificationUrl: null });
    const graph = await emulator.graph(tenant.id);
    const { deltaLink } = await graph.round('/users/delta?$select=id,jobTitle');
    const id = tenant.accounts[3]?.id ?? '';
    await control('PATCH', `users/${id}`, { jobTitle: 'Told' });
    await until('it is told', () => receiver.items.length > 0);
    expect(receiver.items).toMatchObject([
      {
        subscriptionId: json['id'],
        changeType: 'updated',
        clientState: 'a secret',
        tenantId: tenant.id,
        resource: `Users/${id}`,
        resourceData: { '@odata.type': '#Microsoft.Graph.User', id, organizationId: tenant.id },
      },
    ]);
    expect((await graph.round(deltaLink)).objects).toMatchObject([{ id, jobTitle: 'Told' }]);
  });

  it('of a membership is an update of the group; a soft deletion is an update, a purge a deletion', async () => {
    await subscribe();
    await subscribe({ resource: '/groups' });
    const id = tenant.accounts[3]?.id ?? '';
    const group = String((await control('POST', 'groups', { displayName: 'G' }))['id']);
    await control('POST', `groups/${group}/members`, { ids: [id] });
    await control('DELETE', `users/${id}`);
    await control('POST', `users/${id}/purge`);
    const told = () => receiver.items.map(({ changeType, resource }) => `${String(changeType)} ${String(resource)}`);
    await until('all is told', () => told().includes(`deleted Users/${id}`));
    expect(told().filter((each) => each.includes('Users/'))).toEqual([`updated Users/${id}`, `deleted Users/${id}`]);
    expect(told()).toContain(`updated Groups/${group}`);
  });

  it('is told late, twice, or never, as the settings say, and what waits together comes together', async () => {
    await subscribe();
    await control('PATCH', 'settings', { notifications: { latencyMs: 3_000, duplicate: 1 } });
    const started = Date.now();
    for (const { id } of tenant.accounts.slice(0, 3)) await control('PATCH', `users/${id}`, { jobTitle: 'Twice' });
    await until('they are told', () => receiver.items.length === 6);
    expect(receiver.received).toHaveLength(1);
    expect((receiver.received[0]?.at ?? 0) - started).toBeGreaterThanOrEqual(2_990);
    await control('PATCH', 'settings', { notifications: { duplicate: 0, drop: 1 } });
    await control('PATCH', `users/${tenant.accounts[0]?.id}`, { jobTitle: 'Never' });
    const { data } = (await control('GET', 'deliveries')) as { data: { result: unknown }[] };
    expect(data.map(({ result }) => result)).toEqual([202, 'dropped']);
  });

  it('is told again until the address answers 2xx', async () => {
    await subscribe();
    await control('PATCH', 'settings', { notifications: { retryMs: 50 } });
    receiver.status = 503;
    await control('PATCH', `users/${tenant.accounts[0]?.id}`, { jobTitle: 'Again' });
    await until('it was tried twice', () => receiver.received.length >= 2);
    receiver.status = 202;
    const results = async () => {
      const { data } = (await control('GET', 'deliveries')) as { data: { result: unknown }[] };
      return data.map(({ result }) => result);
    };
    while ((await results()).at(-1) !== 202) await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await results()).filter((result) => result === 202)).toHaveLength(1);
    expect((await results()).at(-1)).toBe(202);
  });

  it('is told to nobody once its subscription vanished, which is told to nobody either', async () => {
    await subscribe();
    await control('POST', 'subscriptions/remove', {});
    await control('PATCH', `users/${tenant.accounts[0]?.id}`, { jobTitle: 'Silence' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(receiver.received).toEqual([]);
  });
});

describe('the life of a subscription', () => {
  it.each(['reauthorizationRequired', 'missed', 'subscriptionRemoved'])('is told: %s', async (event) => {
    const { json } = await subscribe();
    await control('POST', 'subscriptions/lifecycle', { event });
    await until('it is told', () => receiver.received.length === 1);
    expect(receiver.received).toMatchObject([
      {
        path: '/lifecycle',
        items: [{ subscriptionId: json['id'], clientState: 'a secret', tenantId: tenant.id, lifecycleEvent: event }],
      },
    ]);
    const { data } = (await control('GET', 'subscriptions')) as { data: unknown[] };
    expect(data).toHaveLength(event === 'subscriptionRemoved' ? 0 : 1);
  });
});
