import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ActivityInterceptorsFactory, NativeConnection, Worker as TemporalWorker } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import { type GraphActivities, type OwnActivities } from './domain/activities.ts';
import { graphTaskQueueOf } from './domain/names.ts';

/** How long a slice may take to end by itself when the process is asked to stop. */
const SHUTDOWN_GRACE_MS = 10_000;
const SHUTDOWN_FORCE_MS = 20_000;
const HEARTBEAT_THROTTLE_MS = 5_000;
/**
 * Who is not cached is replayed from the history at the next round, and rounds come in turn: a cache smaller than the
 * fleet helps nobody. 2,000 tenants fit, at about a quarter of a megabyte each.
 */
const CACHED_WORKFLOWS = 2_500;

export interface WorkerDeps {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly own: OwnActivities;
  readonly graph: GraphActivities;
  /** The first is the outermost. */
  readonly interceptors: readonly ActivityInterceptorsFactory[];
  /** Slices at a time in this process. */
  readonly graphSlots: number;
}

export interface RunningWorkers {
  /** Rejects when a worker dies. */
  readonly finished: Promise<void>;
  readonly running: () => boolean;
  stop(): Promise<void>;
}

/** Two workers in one process: workflows with database work, and every call to Microsoft on a queue of its own. */
export async function startWorkers(deps: WorkerDeps): Promise<RunningWorkers> {
  const { connection, namespace, taskQueue } = deps;
  const common = {
    connection,
    namespace,
    interceptors: { activity: [...deps.interceptors] },
    shutdownGraceTime: SHUTDOWN_GRACE_MS,
    shutdownForceTime: SHUTDOWN_FORCE_MS,
    // A cancellation travels with heartbeats: a pause should not wait for a minute.
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
  };
  const workers: readonly TemporalWorker[] = await Promise.all([
    Worker.create({
      ...common,
      taskQueue,
      ...workflowSource(),
      activities: { ...deps.own },
      maxCachedWorkflows: CACHED_WORKFLOWS,
    }),
    Worker.create({
      ...common,
      taskQueue: graphTaskQueueOf(taskQueue),
      activities: { ...deps.graph },
      maxConcurrentActivityTaskExecutions: deps.graphSlots,
    }),
  ]);
  const finished = Promise.all(workers.map((worker) => worker.run())).then(() => undefined);
  // Whoever awaits `finished` sees the failure; a rejection before that must not end the process.
  finished.catch(() => undefined);
  return {
    finished,
    running: () => workers.every((worker) => worker.getState() === 'RUNNING'),
    async stop() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await finished.catch(() => undefined);
    },
  };
}

/** The bundle that the build made, or in development the sources, bundled at start. */
function workflowSource(): { workflowBundle: { codePath: string } } | { workflowsPath: string } {
  const codePath = fileURLToPath(new URL('./workflow-bundle.cjs', import.meta.url));
  if (existsSync(codePath)) return { workflowBundle: { codePath } };
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return { workflowsPath: fileURLToPath(new URL(`./workflows/index.${extension}`, import.meta.url)) };
}
