import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Browser, connectAsAdministrator } from '../demo/browser.ts';
import { environmentFor, NODE_FLAGS } from '../demo/launch.ts';
import { startProgram, type Program } from '../demo/process.ts';
import { apiAt } from '../demo/story.ts';
import { cpuMsOf } from './cpu-time.ts';
import type { FreshDatabase } from './database.ts';
import type { Directory, Stage } from './stage.ts';

const PROGRAM = fileURLToPath(new URL('../src/main.js', import.meta.url));
const READY_WITHIN_MS = 120_000;

export interface Tenant {
  readonly problem: { readonly code: string } | null;
  readonly counts: { readonly users: number; readonly groups: number; readonly memberships: number };
  readonly lastSync: { readonly startedAt: string; readonly completedAt: string; readonly pages: number } | null;
}

/** The product as it is deployed: API and worker each a process, one for both where the database belongs to one. */
export interface Product {
  /** Of the tenant that the stage's own directory becomes. */
  readonly tenantId: string;
  readonly api: ReturnType<typeof apiAt>;
  start(): Promise<void>;
  /** Makes a tenant and gives consent as an administrator would, from where the first sync goes by itself. */
  connect(id?: string, directory?: Directory): Promise<void>;
  /** Waits for it. Asks seldom, because each question is work for what is measured. */
  firstSync(id?: string): Promise<Tenant & { readonly lastSync: NonNullable<Tenant['lastSync']> }>;
  /** Of the process in which rounds are worked on, since it was started. */
  workerCpuMs(): number | undefined;
  workerPid(): number | undefined;
  stop(): Promise<void>;
}

export function deployProduct(
  stage: Stage,
  database: FreshDatabase,
  options: { readonly syncInterval: string; readonly cpuProf?: string | undefined },
): Product {
  const apiKey = `es_${randomBytes(16).toString('hex')}`;
  const tenantId = `bench-${randomBytes(6).toString('hex')}`;
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    ...environmentFor(stage.emulator),
    DATA_DIR: database.dataDir,
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: stage.temporalAddress,
    TEMPORAL_TASK_QUEUE: tenantId,
    PUBLIC_URL: stage.publicUrl,
    API_KEY: apiKey,
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    SYNC_INTERVAL: options.syncInterval,
  };
  const profile = options.cpuProf === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.cpuProf}`];
  const api = apiAt(stage.publicUrl, apiKey);
  const roles = database.kind === 'postgres' ? ['worker', 'api'] : ['all'];
  let programs: readonly Program[] = [];
  const launch = (role: string) =>
    startProgram({
      name: `entra-sync ${role}`,
      args: [...NODE_FLAGS, ...profile, PROGRAM, role],
      // A worker beside the API has a port of its own, for its metrics.
      env: { ...env, PORT: role === 'worker' ? '0' : String(stage.port) },
      logFile: `${stage.dir}/${tenantId}-${role}.log`,
    });

  const stop = async () => {
    const running = programs;
    programs = [];
    await Promise.all(running.map((program) => program.stop()));
  };
  stage.cleanUp.push(stop);

  return {
    tenantId,
    api,
    async start() {
      programs = roles.map(launch);
      await untilReady(stage.publicUrl);
    },
    async connect(id = tenantId, directory = stage.directory) {
      const { setupUrl } = await api<{ setupUrl: string }>('POST', '/v1/tenants', { id });
      const administrator = directory.accounts.find((account) => /admin/i.test(account.part));
      const account = administrator?.userPrincipalName ?? '';
      const page = await connectAsAdministrator(new Browser(stage.emulator.ca), setupUrl, account);
      if (page.status !== 200) throw new Error(`The consent ended with ${page.status}: ${page.text}`);
    },
    async firstSync(id = tenantId) {
      for (;;) {
        const tenant = await api<Tenant>('GET', `/v1/tenants/${id}`);
        const { lastSync } = tenant;
        if (lastSync) return { ...tenant, lastSync };
        if (tenant.problem) throw new Error(`The first sync met a problem: ${tenant.problem.code}`);
        if (programs.some(({ child }) => child.exitCode !== null)) throw new Error('The product ended');
        await sleep(500);
      }
    },
    workerCpuMs: () => cpuMsOf(programs[0]?.child.pid),
    workerPid: () => programs[0]?.child.pid,
    stop,
  };
}

async function untilReady(publicUrl: string): Promise<void> {
  const end = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const answer = await fetch(`${publicUrl}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    if (performance.now() > end) throw new Error(`The product is not ready: ${await answer?.text()}`);
    await sleep(100);
  }
}

/** Makes the product's tables in an empty database, as a deployment does. */
export async function migrate(stage: Stage, database: FreshDatabase): Promise<void> {
  const program = startProgram({
    name: 'entra-sync migrate',
    args: [PROGRAM, 'migrate'],
    env: { ...process.env, DATA_DIR: database.dataDir, DATABASE_URL: database.url },
    logFile: `${stage.dir}/migrate.log`,
  });
  try {
    await program.line((line) => line.includes('The database is up to date'), READY_WITHIN_MS);
  } finally {
    await program.stop();
  }
}
