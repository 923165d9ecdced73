import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDatabase } from '../../src/store/open.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { LOG } from '../store/backend.ts';
import { tablesWith } from '../store/everywhere.ts';
import { Deployment, type DirectoryJson } from '../support/deployment.ts';

const NAME = 'Zitronenfalter Canarius';
const ADDRESS = 'canary.zitronenfalter@contoso.com';

// The store's own tests look through the embedded database.
const onPostgres = process.env['DATABASE_URL'] ? test : test.skip;

let deployment: Deployment;
let directory: DirectoryJson;
let userId = '';

beforeAll(async () => {
  if (!process.env['DATABASE_URL']) return;
  deployment = await Deployment.start();
  const [first] = await deployment.directories();
  if (!first) throw new Error('The emulator has no directory');
  directory = first;
  deployment.startProduct('all');
  await deployment.ready();
  const created = await deployment.emulator.control<{ id: string }>('POST', `tenants/${directory.id}/users`, {
    displayName: NAME,
    userPrincipalName: ADDRESS,
    mail: ADDRESS,
  });
  userId = created.id;
  await deployment.connect('acme', directory);
  await deployment.api.until('acme', 'it follows the directory', ({ state }) => state === 'delta_sync');
  await deployment.emulator.control('PATCH', `tenants/${directory.id}/users/${userId}`, { jobTitle: 'Butterfly' });
  await deployment.caughtUp('acme');
}, 240_000);

afterAll(() => deployment?.stop(), 60_000);

/** Every table, looked through beside the running product; the embedded database would not let us in. */
async function tablesThatKnow(): Promise<readonly string[]> {
  const db = openDatabase(openPostgres(deployment.databaseUrl ?? '', 1, LOG));
  try {
    return [...new Set([...(await tablesWith(db, NAME)), ...(await tablesWith(db, ADDRESS))])];
  } finally {
    await db.destroy();
  }
}

const erase = () => deployment.api.request('DELETE', `/v1/tenants/acme/users/${userId}/data`);

onPostgres(
  'a person who is deleted is erased from every table on request, and not before',
  async () => {
    expect(await tablesThatKnow()).toEqual(['directory_user', 'event']);
    const refused = await erase();
    expect([refused.status, ((await refused.json()) as { type: string }).type]).toEqual([
      409,
      '/problems/user-not-deleted',
    ]);
    await deployment.emulator.control('DELETE', `tenants/${directory.id}/users/${userId}`);
    await deployment.caughtUp('acme');
    expect((await erase()).status).toBe(202);
    expect(await tablesThatKnow()).toEqual([]);
    await deployment.expectMirror('acme', directory.id);
  },
  240_000,
);

onPostgres(
  'a person comes back whole with a restore, and is gone from every table with the directory’s purge',
  async () => {
    await deployment.emulator.control('POST', `tenants/${directory.id}/users/${userId}/restore`);
    await deployment.caughtUp('acme');
    expect(await tablesThatKnow()).toEqual(['directory_user', 'event']);
    await deployment.expectMirror('acme', directory.id);
    await deployment.emulator.control('DELETE', `tenants/${directory.id}/users/${userId}`);
    await deployment.emulator.control('POST', `tenants/${directory.id}/users/${userId}/purge`);
    await deployment.caughtUp('acme');
    expect(await tablesThatKnow()).toEqual([]);
  },
  240_000,
);

onPostgres(
  'a tenant that is deleted leaves nobody in any table',
  async () => {
    await deployment.emulator.control('POST', `tenants/${directory.id}/users`, {
      displayName: NAME,
      userPrincipalName: ADDRESS,
    });
    await deployment.caughtUp('acme');
    expect(await tablesThatKnow()).toEqual(['directory_user', 'event']);
    expect((await deployment.api.request('DELETE', '/v1/tenants/acme')).status).toBe(202);
    const end = Date.now() + 120_000;
    while ((await deployment.api.request('GET', '/v1/tenants/acme')).status !== 404 && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await tablesThatKnow()).toEqual([]);
  },
  240_000,
);
