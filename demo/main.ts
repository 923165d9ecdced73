/**
 * The main job on one machine: Microsoft's emulator, a Temporal dev server, the embedded database, API and worker. A customer's
 * administrator consents, the directory arrives, changes follow. `--once` leaves when the story is told; without it everything
 * stays up for a person to click through.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser, connectAsAdministrator } from './browser.ts';
import { environmentFor, freePort, startEmulatorProgram, startProduct, type EmulatorProgram } from './launch.ts';
import { apiAt, chapter, tell, until } from './story.ts';

interface Tenant {
  readonly state: string;
  readonly setupUrl: string;
  readonly counts: { readonly users: number; readonly groups: number; readonly memberships: number };
  readonly lastSync: { readonly startedAt: string; readonly completedAt: string } | null;
}
interface Event {
  readonly type: string;
  readonly subject: { readonly id: string };
  readonly data: { readonly displayName?: string | null };
  readonly changed?: Readonly<Record<string, readonly [unknown, unknown]>>;
}
interface Directory {
  readonly id: string;
  readonly displayName: string;
  readonly domain: string;
  readonly counts: { readonly users: number; readonly groups: number };
  readonly accounts: readonly { readonly id: string; readonly userPrincipalName: string; readonly part: string }[];
}

const STARTED_WITHIN_MS = 20 * 60_000; // Temporal may have to be built first: about five minutes on two cores
const once = process.argv.includes('--once');
const dir = mkdtempSync(join(tmpdir(), 'entra-sync-demo-'));
const cleanUp: (() => Promise<void>)[] = [];
let leaving = false;

async function leave(): Promise<void> {
  leaving = true;
  for (const step of cleanUp.splice(0).reverse()) await step();
  rmSync(dir, { recursive: true, force: true });
}

async function start() {
  chapter('Starting');
  const port = await freePort(8080);
  const publicUrl = `http://localhost:${port}`;
  const emulator = await startEmulatorProgram({
    dir,
    publicUrl,
    preset: 'demo',
    httpsPort: await freePort(9443),
    httpPort: await freePort(9080),
  });
  cleanUp.push(() => emulator.stop());
  tell(`  Microsoft, emulated    ${emulator.https}`);
  const apiKey = `es_${randomBytes(16).toString('hex')}`;
  const env = {
    ...environmentFor(emulator),
    DATA_DIR: join(dir, 'data'),
    PORT: String(port),
    PUBLIC_URL: publicUrl,
    API_KEY: apiKey,
    SYNC_INTERVAL: '2s',
    DATABASE_URL: '',
    TEMPORAL_ADDRESS: '',
  };
  const product = startProduct({ role: 'all', dir, env });
  cleanUp.push(() => product.stop());
  product.child.once('exit', (code) => {
    if (!leaving) tell(`  entra-sync ended with ${code}; see ${dir}`);
  });
  showProgress(product.line.bind(product));
  const ui = JSON.parse(await product.line((line) => line.includes('Temporal UI'), STARTED_WITHIN_MS)) as {
    url: string;
  };
  await until('ready', async () => ((await fetch(`${publicUrl}/readyz`)).ok ? true : undefined), 60_000);
  tell(`  entra-sync             ${publicUrl} (database: embedded PGlite)`);
  tell(`  Temporal UI            ${ui.url}`);
  return { emulator, publicUrl, apiKey, ui: ui.url };
}

/** A first start may have to make the Temporal server: nobody should wonder what it waits for. */
function showProgress(line: (fits: (line: string) => boolean, timeoutMs: number) => Promise<string>): void {
  const seen = new Set<string>();
  const next = (): void => {
    line((text) => /"msg":"[^"]*(Temporal|Go)/.test(text) && !seen.has(text), STARTED_WITHIN_MS).then(
      (text) => {
        seen.add(text);
        const { msg } = JSON.parse(text) as { msg: string };
        if (/build|download|minute/i.test(msg)) tell(`  … ${msg}`);
        next();
      },
      () => undefined,
    );
  };
  next();
}

async function connect(emulator: EmulatorProgram, api: ReturnType<typeof apiAt>, directory: Directory): Promise<void> {
  chapter('1. The product creates an environment, and hands its link to the customer');
  const created = await api<Tenant>('POST', '/v1/tenants', { id: 'acme', name: 'Acme Production' });
  tell(`  POST /v1/tenants → ${created.state}, ${created.setupUrl.slice(0, 60)}…`);

  chapter("2. The customer's administrator opens it, and accepts Microsoft's consent");
  const administrator = directory.accounts.find((account) => /admin/i.test(account.part)) ?? directory.accounts[0];
  if (!administrator) throw new Error('The demo directory has no administrator');
  const browser = new Browser(emulator.ca);
  const page = await connectAsAdministrator(browser, created.setupUrl, administrator.userPrincipalName);
  const title = /<h1[^>]*>([^<]*)/.exec(page.text)?.[1];
  if (page.status !== 200) throw new Error(`The callback answered ${page.status}: ${title ?? page.text.slice(0, 200)}`);
  tell(`  ${administrator.userPrincipalName} accepted and confirmed; the page reads: “${title ?? ''}”`);

  chapter('3. The directory arrives');
  let state = '';
  const synced = await until(
    'the first sync',
    async () => {
      const tenant = await api<Tenant>('GET', '/v1/tenants/acme');
      if (tenant.state !== state) tell(`  state: ${(state = tenant.state)}`);
      return tenant.state === 'delta_sync' ? tenant : undefined;
    },
    120_000,
  );
  const { users, groups, memberships } = synced.counts;
  const took = synced.lastSync ? Date.parse(synced.lastSync.completedAt) - Date.parse(synced.lastSync.startedAt) : 0;
  tell(`  ${users} users, ${groups} groups, ${memberships} memberships in ${took} ms`);
  if (users !== directory.counts.users || groups !== directory.counts.groups) {
    throw new Error(`Microsoft has ${directory.counts.users} users and ${directory.counts.groups} groups`);
  }
}

async function change(emulator: EmulatorProgram, api: ReturnType<typeof apiAt>, directory: Directory): Promise<void> {
  chapter('4. Changes follow by delta, each as one event');
  const start = await api<{ cursor: string }>('GET', '/v1/events?limit=1000');
  const users = await api<{ data: { id: string; displayName: string }[] }>('GET', '/v1/tenants/acme/users?limit=2');
  const [renamed] = users.data;
  if (!renamed) throw new Error('No user arrived');
  const at = `tenants/${directory.id}`;
  await emulator.control('PATCH', `${at}/users/${renamed.id}`, { jobTitle: 'Astronaut' });
  const newcomer = await emulator.control<{ id: string }>('POST', `${at}/users`, { displayName: 'Grace Hopper' });
  const group = await emulator.control<{ id: string }>('POST', `${at}/groups`, { displayName: 'Moon landing' });
  await emulator.control('POST', `${at}/groups/${group.id}/members`, { ids: [newcomer.id] });
  tell(
    '  In the directory: a job title changes, Grace Hopper joins, and becomes a member of the new group “Moon landing”.',
  );
  const wanted = ['user.updated', 'user.created', 'group.created', 'membership.added'];
  const seen = new Set<string>();
  let cursor = start.cursor;
  await until(
    'the events',
    async () => {
      const page = await api<{ data: Event[]; cursor: string }>('GET', `/v1/events?after=${cursor}&wait=1`);
      ({ cursor } = page);
      for (const event of page.data) {
        seen.add(event.type);
        tell(`  ${event.type.padEnd(18)} ${describe(event)}`);
      }
      return wanted.every((type) => seen.has(type)) ? true : undefined;
    },
    60_000,
  );
  const check = await api<{ allowed: boolean }>('POST', '/v1/tenants/acme/access/check', {
    userId: newcomer.id,
    groups: [group.id],
  });
  tell(`  access/check: is Grace Hopper in “Moon landing”? ${check.allowed ? 'yes' : 'no'}`);
  if (!check.allowed) throw new Error('The access check disagrees with the directory');
}

function describe({ subject, data, changed }: Event): string {
  const what = data.displayName ?? subject.id;
  const changes = Object.entries(changed ?? {}).map(
    ([name, [before, after]]) => `${name}: ${String(before)} → ${String(after)}`,
  );
  return changes.length === 0 ? what : `${what} (${changes.join(', ')})`;
}

function whereToLook(urls: { publicUrl: string; ui: string; apiKey: string; emulator: EmulatorProgram }): void {
  chapter('Where to look');
  tell(`  Temporal UI            ${urls.ui}/namespaces/default/workflows/tenant%2Facme`);
  tell(
    `  lists and events       curl -H 'Authorization: Bearer ${urls.apiKey}' ${urls.publicUrl}/v1/tenants/acme/users`,
  );
  tell(`  every route            ${urls.publicUrl}/openapi.json`);
  tell(`  change the directory   ${urls.emulator.http}/_emulator (see emulator/README.md)`);
}

try {
  const { emulator, publicUrl, apiKey, ui } = await start();
  const api = apiAt(publicUrl, apiKey);
  const [directory, second] = (await emulator.control<{ data: Directory[] }>('GET', 'tenants')).data;
  if (!directory) throw new Error('The emulator has no directory');
  await connect(emulator, api, directory);
  await change(emulator, api, directory);
  whereToLook({ publicUrl, ui, apiKey, emulator });
  if (!once) {
    const yours = await api<Tenant>('POST', '/v1/tenants', { id: 'yours', name: 'Your turn' });
    tell(
      `\n  Your turn: connect ${second?.displayName ?? 'a directory'} as its administrator would:\n  ${yours.setupUrl}`,
    );
    tell(`  (your browser will warn of the emulator's own certificate; its authority is ${emulator.caFile})`);
    tell('\n  Ctrl-C ends everything.');
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
  }
  await leave();
  tell(once ? '\nAll of it happened.' : '');
} catch (error) {
  tell(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  tell(`What the programs said is in ${dir}`);
  leaving = true;
  for (const step of cleanUp.splice(0).reverse()) await step();
  process.exitCode = 1;
}
