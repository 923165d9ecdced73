/**
 * The peer: what an engineer writes in an afternoon with Microsoft's two SDKs. Feed after feed, page after page, each page's
 * rows in one multi-row INSERT. Its tables are as bare as the limit's, which is in its favour.
 */
import { ConfidentialClientApplication } from '@azure/msal-node';
import { Client } from '@microsoft/microsoft-graph-client';
import pg from 'pg';
import { CLIENT_ID, CLIENT_SECRET } from '../demo/launch.ts';
import { GROUP_ATTRIBUTES, USER_ATTRIBUTES } from '../src/domain/directory.ts';
import { dataOf, memberTypeOf, SECONDARY_INDEXES, TABLES, type DeltaBody } from './copy-rows.ts';
import { ownCpuMs } from './cpu-time.ts';
import type { FeedName } from './delta-pages.ts';
import { readTask, tellResult } from './task.ts';

const { source, directoryId, into } = readTask();
if (!into || !('postgres' in into)) throw new Error('The peer writes to PostgreSQL');
const database = new pg.Client({ connectionString: into.postgres });
await database.connect();
const indexes = await database.query<{ name: string }>(SECONDARY_INDEXES);
for (const { name } of indexes.rows) await database.query(`DROP INDEX ${name}`);

const login = new ConfidentialClientApplication({
  auth: {
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    authority: `${source.origin}/${directoryId}`,
    knownAuthorities: [new URL(source.origin).host],
    // Spares a question to login.microsoftonline.com, which the emulator does not stand in for.
    authorityMetadata: JSON.stringify({
      authorization_endpoint: `${source.origin}/${directoryId}/oauth2/v2.0/authorize`,
      token_endpoint: `${source.origin}/${directoryId}/oauth2/v2.0/token`,
      issuer: `${source.origin}/${directoryId}/v2.0`,
      jwks_uri: `${source.origin}/${directoryId}/discovery/v2.0/keys`,
    }),
  },
});
const graph = Client.initWithMiddleware({
  baseUrl: `${source.origin}/`,
  defaultVersion: 'v1.0',
  customHosts: new Set([new URL(source.origin).hostname]),
  authProvider: {
    async getAccessToken() {
      const result = await login.acquireTokenByClientCredential({ scopes: ['https://graph.microsoft.com/.default'] });
      return result?.accessToken ?? '';
    },
  },
});

async function insert(table: string, columns: string, conflict: string, rows: readonly (readonly unknown[])[]) {
  if (rows.length === 0) return;
  let parameter = 0;
  const values = rows.map((row) => `(${row.map(() => `$${++parameter}`).join(', ')})`);
  await database.query(`INSERT INTO ${table} (${columns}) VALUES ${values.join(', ')} ${conflict}`, rows.flat());
}

async function writePage(feed: FeedName, { value }: DeltaBody): Promise<void> {
  const table = feed === 'users' ? 'directory_user' : 'directory_group';
  // One INSERT cannot touch a row twice: a group that the page names again is written once.
  const objects = new Map(value.map((object) => [object.id, [1, object.id, JSON.stringify(dataOf(feed, object))]]));
  const update = 'ON CONFLICT (tenant_no, id) DO UPDATE SET data = excluded.data';
  await insert(table, 'tenant_no, id, data', update, [...objects.values()]);
  const members = value.flatMap((object) =>
    (object['members@delta'] ?? []).map((member) => [1, object.id, member.id, memberTypeOf(member['@odata.type'])]),
  );
  await insert('membership', 'tenant_no, group_id, member_id, member_type', 'ON CONFLICT DO NOTHING', members);
}

async function syncFeed(feed: FeedName, select: readonly string[]): Promise<number> {
  let body = (await graph
    .api(`/${feed}/delta`)
    .select([...select])
    .get()) as DeltaBody;
  for (let pages = 1; ; pages++) {
    await writePage(feed, body);
    const link = body['@odata.nextLink'];
    if (link === undefined) return pages;
    body = (await graph.api(link).get()) as DeltaBody;
  }
}

const cpu = ownCpuMs();
const start = performance.now();
const users = await syncFeed('users', ['id', ...USER_ATTRIBUTES]);
const groups = await syncFeed('groups', ['id', ...GROUP_ATTRIBUTES, 'members']);
const ms = performance.now() - start;
const cpuMs = ownCpuMs() - cpu;
let rows = 0;
for (const table of TABLES) {
  const counted = await database.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`);
  rows += Number(counted.rows[0]?.n);
}
await database.end();
tellResult({ ms, cpuMs, pages: users + groups, rows });
