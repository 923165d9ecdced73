import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createActivities } from '../../../src/activities/index.ts';
import { failureInterceptor } from '../../../src/activities/failure-interceptor.ts';
import { ownTenants } from '../../../src/activities/own-tenants.ts';
import { graphTaskQueueOf, TENANT_WORKFLOW, workflowIdOf } from '../../../src/domain/names.ts';
import { initialState, type TenantPolicy } from '../../../src/domain/tenant-workflow.ts';
import type { Graph } from '../../../src/graph/graph.ts';
import { countGraphWork } from '../../../src/worker-metrics.ts';
import { quietRuntime } from '../../support/tenant-worker.ts';
import type { ApiUnderTest } from './api-under-test.ts';
import { recordPhase, tenantRow } from './seed.ts';

/** A second refusal so soon is a revocation. */
const QUICK: Partial<TenantPolicy> = { minRetryMs: 100, maxRetryMs: 300, secondLookMs: 500 };

export interface RunningTenants {
  /** Binds the tenant to a directory, as a consent does, and follows it from there. */
  follow(id: string, entraTenant: string): Promise<void>;
  stop(): Promise<void>;
}

/** The product's workers in this process, beside an API and on its database: workflow and activities of production. */
export async function runTenants({ store, deps }: ApiUnderTest, graph: Graph): Promise<RunningTenants> {
  const address = process.env['TEST_TEMPORAL_ADDRESS'];
  const codePath = process.env['TEST_WORKFLOW_BUNDLE'];
  if (address === undefined || codePath === undefined) throw new Error('The global set-up of the tests did not run');
  quietRuntime();
  const { sealer, log, registry } = deps;
  const connection = await Connection.connect({ address });
  const nativeConnection = await NativeConnection.connect({ address });
  const client = new Client({ connection });
  const taskQueue = `test-${randomUUID()}`;
  const activities = createActivities({ store, graph, sealer, log, syncIntervalMs: 1_000 });
  const common = {
    connection: nativeConnection,
    interceptors: { activity: [failureInterceptor(log), ownTenants({ store, log })] },
  };
  const workers = await Promise.all([
    Worker.create({ ...common, taskQueue, workflowBundle: { codePath }, activities: { ...activities.own } }),
    Worker.create({
      ...common,
      taskQueue: graphTaskQueueOf(taskQueue),
      activities: { ...countGraphWork(activities.graph, registry) },
    }),
  ]);
  const finished = Promise.all(workers.map((worker) => worker.run()));
  const followed: WorkflowHandle[] = [];
  return {
    async follow(id, entraTenant) {
      const { no } = await tenantRow(store, id);
      await store.consents.bind(no, entraTenant);
      await recordPhase(store, id, { phase: 'syncing' });
      const state = initialState({ phase: 'syncing', paused: false, problem: null, round: null, deleting: false });
      const input = { tenantNo: no, tenantId: id, state, policy: QUICK };
      await client.workflow.start(TENANT_WORKFLOW, { workflowId: workflowIdOf(id), taskQueue, args: [input] });
      followed.push(client.workflow.getHandle(workflowIdOf(id)));
    },
    async stop() {
      await Promise.all(followed.map((handle) => handle.terminate('end of the test').catch(() => undefined)));
      for (const worker of workers) worker.shutdown();
      await finished;
      await nativeConnection.close();
      await connection.close();
    },
  };
}
