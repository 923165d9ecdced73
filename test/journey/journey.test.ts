import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { acceptAtMicrosoft, Browser } from '../../demo/browser.ts';
import { freePort } from '../../demo/launch.ts';
import { fold, type Snapshot } from '../support/api-client.ts';
import { keptByTemporal } from '../support/kept-by-temporal.ts';
import { Deployment, firstDifference, type DirectoryJson } from '../support/deployment.ts';

// Planted where a directory keeps a person's data, and searched for wherever it must never be.
const CANARY_NAME = 'Zitronenfalter Canarius';
const CANARY_ADDRESS = 'canary.zitronenfalter@contoso.com';

describe('the whole journey, over HTTPS, on a real Temporal server', () => {
  let deployment: Deployment;
  let directory: DirectoryJson;
  let snapshot: Snapshot;
  const serving: string[] = [];

  beforeAll(async () => {
    deployment = await Deployment.start();
    const [first] = await deployment.directories();
    if (!first) throw new Error('The emulator has no directory');
    directory = first;
    if (deployment.separable) {
      deployment.startProduct('api');
      const port = await freePort();
      deployment.startProduct('worker', port);
      await deployment.ready(port);
      serving.push(`http://localhost:${port}`);
    } else {
      deployment.startProduct('all');
    }
    await deployment.ready();
    serving.push(deployment.publicUrl);
  }, 240_000);

  afterAll(async () => {
    await deployment?.stop();
  }, 240_000);

  test('every process of the product runs on the Node that is to be tried', async () => {
    const node = process.env['NODE_24'];
    const version =
      node === undefined ? process.version : execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
    if (node !== undefined) expect(version).toMatch(/^v24\./);
    for (const url of serving) {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      expect(metrics).toContain(`nodejs_version_info{version="${version}"`);
    }
  });

  test('an administrator consents, and the directory arrives whole with one event', async () => {
    await deployment.emulator.control('POST', `tenants/${directory.id}/users`, {
      displayName: CANARY_NAME,
      userPrincipalName: CANARY_ADDRESS,
      mail: CANARY_ADDRESS,
    });
    await deployment.connect('acme', directory);
    const tenant = await deployment.api.until(
      'acme',
      'it follows the directory',
      ({ state }) => state === 'delta_sync',
    );
    expect(tenant).toMatchObject({ phase: 'delta_sync', paused: false, problem: null, entraTenantId: directory.id });
    snapshot = await deployment.expectMirror('acme', directory.id);
    const { events } = await deployment.api.eventsAfter('', 'acme');
    expect(events.filter(({ type }) => type === 'sync.completed')).toHaveLength(1);
    expect(events.filter(({ type }) => /^(user|group|membership)\./.test(type))).toEqual([]);
  }, 240_000);

  test('changes of every kind follow by delta, and events folded over the snapshot are the mirror', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      await deployment.emulator.control('POST', `tenants/${directory.id}/mutate`, { count: 25, seed });
      await deployment.caughtUp('acme');
      const { events } = await deployment.api.eventsAfter(snapshot.cursor, 'acme');
      const mirror = await deployment.expectMirror('acme', directory.id);
      expect(firstDifference(fold(snapshot, events), mirror)).toBeUndefined();
      snapshot = mirror;
    }
  }, 240_000);

  test('a pause stops fetching, a resume goes on', async () => {
    await deployment.api.json('POST', '/v1/tenants/acme/pause');
    await deployment.api.until('acme', 'it is paused', ({ state }) => state === 'paused');
    await deployment.emulator.control('DELETE', 'requests');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const { total } = await deployment.emulator.control<{ total: number }>('GET', 'requests');
    expect(total).toBe(0);
    await deployment.api.json('POST', '/v1/tenants/acme/resume');
    await deployment.api.until('acme', 'it follows again', ({ state }) => state === 'delta_sync');
    await deployment.caughtUp('acme');
  }, 240_000);

  test('an expired delta link leads to a full round beside the mirror, with true differences only', async () => {
    const before = await deployment.api.snapshot('acme');
    await deployment.emulator.control('POST', `tenants/${directory.id}/mutate`, { count: 10, seed: 99 });
    await deployment.emulator.control('POST', `tenants/${directory.id}/expire-tokens`, { scope: 'all', shape: 'a' });
    await deployment.api.fullRoundAfter(before.cursor, 'acme');
    await deployment.caughtUp('acme');
    const { events } = await deployment.api.eventsAfter(before.cursor, 'acme');
    const mirror = await deployment.expectMirror('acme', directory.id);
    expect(firstDifference(fold(before, events), mirror)).toBeUndefined();
    for (const event of events.filter(({ type }) => type === 'user.updated')) expect(event.changed).not.toEqual({});
  }, 240_000);

  test('people sign in with their work account, a new one as soon as the mirror knows them', async () => {
    const returnTo = `${deployment.publicUrl}/healthz`;
    await deployment.api.json('PATCH', '/v1/tenants/acme', { signIn: { returnUrls: [returnTo] } });
    const person = await deployment.emulator.control<{ id: string }>('POST', `tenants/${directory.id}/users`, {
      displayName: CANARY_NAME,
      userPrincipalName: `new.${CANARY_ADDRESS}`,
    });
    const link = `${deployment.publicUrl}/signin/acme?${String(new URLSearchParams({ return_to: returnTo, state: 's' }))}`;
    const browser = new Browser(deployment.emulator.ca);
    const end = Date.now() + 120_000;
    let page = await acceptAtMicrosoft(browser, await browser.get(link), person.id);
    // The page says to try again in a minute: the sign-in itself has started a round.
    while (page.status === 403 && page.text.includes('not known here yet') && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      page = await acceptAtMicrosoft(browser, await browser.get(link), person.id);
    }
    const code = new URL(page.url).searchParams.get('code');
    const exchange = await deployment.api.json('POST', '/v1/signin/exchange', { code, tenant: 'acme', returnTo });
    expect(exchange).toMatchObject({ tenant: 'acme', tid: directory.id, oid: person.id, user: { id: person.id } });
  }, 240_000);

  test('operators find the tenant by its state in Temporal', async () => {
    const list = () =>
      execFileSync(
        process.env['TEST_TEMPORAL_CLI'] ?? '',
        [
          'workflow',
          'list',
          '--address',
          process.env['TEST_TEMPORAL_ADDRESS'] ?? '',
          '--namespace',
          deployment.namespace,
          '--query',
          'EntraSyncState="delta_sync" AND EntraSyncTenant="acme"',
          '-o',
          'json',
        ],
        { encoding: 'utf8' },
      );
    const end = Date.now() + 120_000;
    while (!list().includes('tenant/acme') && Date.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 200));
    expect(list()).toContain('tenant/acme');
  }, 240_000);

  test('nothing that Temporal keeps and no log line holds a token, a link, a name or an address', async () => {
    const kept = [deployment.logs(), ...(await keptByTemporal(deployment.namespace, 'acme'))];
    const all = kept.join('\n');
    expect(kept.length).toBeGreaterThan(2);
    // Things that must be there prove that the search can find something.
    expect(all).toContain('syncSlice');
    expect(all).toContain('acme');
    expect(all).not.toMatch(/eyJ[\w-]{10,}\.eyJ/); // a JWT
    for (const canary of [
      CANARY_NAME,
      CANARY_ADDRESS,
      'Zitronenfalter',
      'deltatoken',
      'skiptoken',
      'emulator~secret',
      deployment.apiKey,
    ]) {
      expect({ canary, found: all.toLowerCase().includes(canary.toLowerCase()) }).toEqual({ canary, found: false });
    }
  }, 240_000);

  test('a deletion purges, tells it, and frees the name for another life', async () => {
    const { cursor } = await deployment.api.eventsAfter('');
    expect((await deployment.api.request('DELETE', '/v1/tenants/acme')).status).toBe(202);
    const end = Date.now() + 120_000;
    while ((await deployment.api.request('GET', '/v1/tenants/acme')).status !== 404 && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const { events } = await deployment.api.eventsAfter(cursor);
    expect(events.map(({ type }) => type)).toContain('tenant.deleted');
    await deployment.connect('acme', directory);
    await deployment.api.until('acme', 'its second life follows the directory', ({ state }) => state === 'delta_sync');
    await deployment.expectMirror('acme', directory.id);
  }, 240_000);
});
