import type { Client, Connection } from '@temporalio/client';
import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createActivities } from './activities/index.ts';
import { failureInterceptor } from './activities/failure-interceptor.ts';
import { ownTenants } from './activities/own-tenants.ts';
import { createApi } from './api/app.ts';
import type { Config } from './config.ts';
import { parseEncryptionKeys } from './crypto/encryption-keys.ts';
import { showCredentials } from './credential-metrics.ts';
import { createSealer, type Sealer } from './crypto/sealer.ts';
import { createGraph, type Graph } from './graph/graph.ts';
import { listen, ReadinessBoard } from './http-server.ts';
import { loadKeys } from './keys.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';
import { findTemporalCli } from './temporal/cli-binary.ts';
import { createTemporalClient, pingTemporal, waitForTemporal } from './temporal/connection.ts';
import { startDevServer, type DevServer } from './temporal/dev-server.ts';
import { ensureSearchAttributes } from './temporal/search-attributes.ts';
import type { TemporalSettings } from './temporal/settings.ts';
import { startSweeper, type Sweeper } from './temporal/sweeper.ts';
import { createTenantHandles, type TenantHandles } from './temporal/tenant-handles.ts';
import { waitForWorkerConnection } from './temporal/worker-connection.ts';
import { countGraphAnswers, countGraphWork } from './worker-metrics.ts';
import { startWorkers, type RunningWorkers } from './worker.ts';

const SWEEP_INTERVAL_MS = 60_000;
/** Slices at a time: they wait for Microsoft most of the time, and each may hold two pages in memory. */
const GRAPH_SLOTS = 30;
/** Of these so many at most for full rounds: a giant's, or many after a reset, never keep delta rounds waiting. */
const FULL_SLICES = 20;

export type Role = 'api' | 'worker';

export interface Service {
  readonly port: number;
  /** Set while a dev server of our own runs. */
  readonly temporalUi: string | undefined;
  /** Made just now, to be shown once. */
  readonly freshApiKey: string | undefined;
  /** Rejects when a part that cannot be replaced in place has died. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/**
 * Puts the product together: the only place where its rooms meet. Health is answered from the first moment; database and
 * Temporal are waited for, with a line about what is missing and where, until `signal` ends the waiting.
 */
export async function startService(options: {
  readonly config: Config;
  readonly roles: ReadonlySet<Role>;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Logger;
  readonly signal: AbortSignal;
}): Promise<Service> {
  const { config, roles, log, signal } = options;
  const board = new ReadinessBoard();
  board.set('database', 'not reached yet');
  board.set('temporal', 'not reached yet');
  if (roles.has('worker')) board.set('worker', 'not started yet');
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  const http = await listen(config.port, board, metrics);
  const closers: (() => Promise<void>)[] = [() => http.close()];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const keys = loadKeys(config);
    const sealer = createSealer(parseEncryptionKeys(keys.encryptionKeys));
    const graph = createGraph({
      clientId: config.entra.clientId,
      credential: config.entra.credential,
      nextCredential: config.entra.nextCredential,
      env: options.env,
      cloud: config.entra.cloud,
      ...(config.entra.authorityHost === undefined ? {} : { authorityHost: config.entra.authorityHost }),
      ...(config.entra.graphBaseUrl === undefined ? {} : { graphBaseUrl: config.entra.graphBaseUrl }),
    });
    showCredentials(graph, metrics);
    const store = await openStore({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log, signal });
    closers.push(() => store.close());
    board.set('database', async () => {
      await store.ping();
      return 'ok';
    });

    // The API answers as soon as it has its database: intents are committed there, and swept once Temporal is back.
    let handles: TenantHandles | undefined;
    if (roles.has('api')) {
      http.serve(
        createApi({
          store,
          graph,
          sealer,
          log,
          registry: metrics,
          deliver: async (intent, tenantId) => handles?.deliver(intent, tenantId),
          hint: async (tenantNo, tenantId) => handles?.hint(tenantNo, tenantId),
          config: { ...config, apiKey: keys.apiKey, clientId: config.entra.clientId },
          ready: () => board.read(),
        }),
      );
      log.info({ port: http.port, publicUrl: config.publicUrl }, 'The API is listening');
    }

    const temporal = await reachTemporal(options, closers);
    handles = createTenantHandles({ client: temporal.client, taskQueue: config.temporal.taskQueue, store, log });
    const prepare = () => ensureSearchAttributes(temporal.connection, temporal.settings, { log, signal });
    await prepare();
    board.set('temporal', async () => {
      await pingTemporal(temporal.connection, temporal.settings.namespace);
      return 'ok';
    });

    let workers: RunningWorkers | undefined;
    if (roles.has('worker')) {
      workers = await startWorkerRole({ options, temporal, store, graph, sealer, handles, prepare, metrics, closers });
      const { running } = workers;
      board.set('worker', () => (running() ? 'ok' : 'not running'));
      log.info({ taskQueue: config.temporal.taskQueue }, 'The worker is running');
    }
    return {
      port: http.port,
      temporalUi: temporal.devServer?.uiUrl,
      freshApiKey: keys.fresh ? keys.apiKey : undefined,
      failed: new Promise((_, reject) => {
        workers?.finished.catch(reject);
      }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface ReachedTemporal {
  readonly settings: TemporalSettings;
  readonly connection: Connection;
  readonly client: Client;
  readonly devServer: DevServer | undefined;
}

async function reachTemporal(
  { config, env, log, signal }: Parameters<typeof startService>[0],
  closers: (() => Promise<void>)[],
): Promise<ReachedTemporal> {
  const { address: given, namespace, security } = config.temporal;
  let devServer: DevServer | undefined;
  if (given === undefined) {
    const binary = await findTemporalCli({ env, log });
    devServer = await startDevServer({ binary, dataDir: config.dataDir, namespace, log });
    closers.push(devServer.stop);
  }
  const settings: TemporalSettings = { address: devServer?.address ?? given ?? '', namespace, ...security };
  const connection = await waitForTemporal(settings, { log, signal });
  closers.push(() => connection.close());
  return { settings, connection, client: createTemporalClient(connection, settings), devServer };
}

async function startWorkerRole(parts: {
  readonly options: Parameters<typeof startService>[0];
  readonly temporal: ReachedTemporal;
  readonly store: Store;
  readonly graph: Graph;
  readonly sealer: Sealer;
  readonly handles: TenantHandles;
  readonly prepare: () => Promise<void>;
  readonly metrics: Registry;
  readonly closers: (() => Promise<void>)[];
}): Promise<RunningWorkers> {
  const { temporal, store, graph, sealer, handles, prepare, closers } = parts;
  const { config, log, signal } = parts.options;
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      // Half of our workers have no workflows, on purpose.
      if (message.startsWith('No workflows registered')) return;
      // Metadata of the SDK names workflow and activity, never their payloads.
      log[level === 'ERROR' ? 'error' : 'warn'](
        { temporal: meta?.['error'] instanceof Error ? meta['error'].message : undefined },
        message,
      );
    }),
    telemetryOptions: { logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) } },
  });
  const connection = await waitForWorkerConnection(temporal.settings, { log, signal });
  closers.push(() => connection.close());
  const activities = createActivities({
    store,
    graph: countGraphAnswers(graph, parts.metrics),
    sealer,
    log,
    syncIntervalMs: config.syncIntervalMs,
    notificationUrl: config.notificationUrl,
    fullSlices: FULL_SLICES,
  });
  log.info(
    { devServer: temporal.devServer !== undefined },
    temporal.devServer === undefined
      ? 'Fairness between tenants: keys are set, and count where this Temporal server has matching.enableFairness; a slice of a full round ends after its pages in any case'
      : 'Fairness between tenants: the dev server dispatches by their keys, and a slice of a full round ends after its pages in any case',
  );
  const workers = await startWorkers({
    connection,
    namespace: temporal.settings.namespace,
    taskQueue: config.temporal.taskQueue,
    own: activities.own,
    graph: countGraphWork(activities.graph, parts.metrics),
    interceptors: [failureInterceptor(log), ownTenants({ store, log })],
    graphSlots: GRAPH_SLOTS,
  });
  closers.push(() => workers.stop());
  const sweeper: Sweeper = startSweeper({
    client: temporal.client,
    store,
    handles,
    prepare,
    log,
    intervalMs: SWEEP_INTERVAL_MS,
  });
  closers.push(() => sweeper.stop());
  return workers;
}
