import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Store } from '../store/store.ts';
import { TENANT_WORKFLOW, workflowIdOf } from '../domain/names.ts';
import type { TenantHandles } from './tenant-handles.ts';

/** An intent younger than this is probably on its way. */
const INTENT_AGE_MS = 30_000;
/** Nobody else sweeps while one process waits. */
const LIST_DEADLINE_MS = 60_000;

export interface Sweeper {
  /** Sweeps once, if no other process is sweeping. */
  sweep(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Heals what fell between the database and Temporal: repeats intents that no workflow took, and starts the workflow of
 * every tenant that has none, such as after Temporal lost its data. It also lets go of what is too old to be kept.
 */
export function startSweeper(deps: {
  readonly client: Client;
  readonly store: Store;
  readonly handles: TenantHandles;
  /** Makes sure that Temporal knows our search attributes: without them no workflow starts. */
  readonly prepare: () => Promise<void>;
  readonly log: Logger;
  readonly intervalMs: number;
}): Sweeper {
  const { client, store, handles, log } = deps;

  const runningWorkflows = async () => {
    const running = new Set<string>();
    for await (const execution of client.workflow.list({
      query: `WorkflowType = '${TENANT_WORKFLOW}' AND ExecutionStatus = 'Running'`,
    })) {
      running.add(execution.workflowId);
    }
    return running;
  };

  const sweepOnce = async () => {
    await store.endStopped();
    const running = await client.withDeadline(Date.now() + LIST_DEADLINE_MS, runningWorkflows);
    for (const tenant of await store.tenants.live()) {
      // The list may lag behind: a start that meets a running workflow changes nothing.
      if (running.has(workflowIdOf(tenant.id))) continue;
      if ((await handles.ensure(tenant.no)) === 'started') {
        log.warn(
          { tenant: tenant.id },
          'The workflow of this tenant was missing; started from what the database remembers',
        );
      }
    }
    for (const intent of await store.intents.open(INTENT_AGE_MS)) await handles.deliver(intent, intent.tenantId);
    await store.consents.sweep();
    await store.signIns.sweep();
    await store.retention.sweep();
  };

  const sweep = async () => {
    try {
      await deps.prepare();
      await store.exclusively('sweep', sweepOnce);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn({ reason }, 'The sweep did not finish; the next one follows in a minute');
    }
  };

  let current = sweep();
  const timer = setInterval(() => {
    current = current.then(sweep);
  }, deps.intervalMs);
  return {
    sweep,
    async stop() {
      clearInterval(timer);
      await current;
    },
  };
}
