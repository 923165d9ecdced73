import type { Client } from '@temporalio/client';
import { TypedSearchAttributes, defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { Logger } from 'pino';
import type { Intent } from '../store/face/intents.ts';
import type { TenantRow } from '../store/face/tenants.ts';
import type { Store } from '../store/store.ts';
import type { IntentMessage } from '../domain/intent.ts';
import { HINT_SIGNAL, SEARCH_ATTRIBUTES, TENANT_WORKFLOW, workflowIdOf } from '../domain/names.ts';
import { initialState, type TenantInput } from '../domain/tenant-workflow.ts';

const SIGNAL_DEADLINE_MS = 5_000;
/** How often a name that another life still holds is looked at again, half a second apart. */
const PREDECESSOR_TRIES = 20;

const TENANT = defineSearchAttributeKey(SEARCH_ATTRIBUTES.tenant, SearchAttributeType.KEYWORD);
const STATE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.state, SearchAttributeType.KEYWORD);

export interface TenantHandles {
  /**
   * Signals an intent to its tenant's workflow, starting the workflow if there is none. Never throws: the intent is
   * committed, and the sweeper repeats what no workflow took.
   */
  deliver(intent: Intent, tenantId: string): Promise<void>;
  /** Tells a running workflow that Microsoft told of a change. Never throws: what is lost here, the interval brings. */
  hint(tenantNo: number, tenantId: string): Promise<void>;
  /** Starts the workflow of a tenant from what the database remembers, if it has none. */
  ensure(tenantNo: number): Promise<'started' | 'running' | 'gone'>;
}

export function createTenantHandles(deps: {
  readonly client: Client;
  readonly taskQueue: string;
  readonly store: Store;
  readonly log: Logger;
}): TenantHandles {
  const { client, taskQueue, store, log } = deps;

  const startOptions = (tenant: TenantRow) => {
    const input: TenantInput = {
      tenantNo: tenant.no,
      tenantId: tenant.id,
      state: initialState({ ...tenant, deleting: tenant.deletingAt !== null }),
    };
    return {
      workflowId: workflowIdOf(tenant.id),
      taskQueue,
      args: [input] as [TenantInput],
      // Tells lives of the same name apart without asking the workflow; kept over continue-as-new.
      memo: { tenantNo: tenant.no },
      priority: { fairnessKey: String(tenant.no) },
      typedSearchAttributes: new TypedSearchAttributes([
        { key: TENANT, value: tenant.id },
        { key: STATE, value: tenant.state },
      ]),
    };
  };

  const signal = async (tenant: TenantRow, intent: Intent): Promise<'taken' | 'other_life'> => {
    const message: IntentMessage = { tenantNo: intent.tenantNo, intentId: intent.id, seq: intent.seq };
    const handle = await client.workflow.signalWithStart(TENANT_WORKFLOW, {
      ...startOptions(tenant),
      signal: intent.kind,
      signalArgs: [message],
    });
    if (intent.kind !== 'start') return 'taken';
    // Only a new tenant can meet the workflow of a predecessor, which ends within moments of giving the name free.
    const { memo } = await handle.describe();
    return memo?.['tenantNo'] === tenant.no ? 'taken' : 'other_life';
  };

  return {
    async deliver(intent, tenantId) {
      try {
        const tenant = await store.tenants.byNo(intent.tenantNo);
        if (!tenant) return;
        for (let attempt = 0; attempt < PREDECESSOR_TRIES; attempt++) {
          const taken = await client.withDeadline(Date.now() + SIGNAL_DEADLINE_MS, () => signal(tenant, intent));
          if (taken === 'taken') return;
          await new Promise((resolve) => setTimeout(resolve, 500));
        }
        log.warn(
          { tenant: tenantId },
          'A workflow that is not of this tenant holds the name of this tenant, which waits for it to end. If it is another ' +
            "installation's, give each a namespace of its own (TEMPORAL_NAMESPACE): workflows are named by tenants",
        );
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        log.warn(
          { tenant: tenantId, intent: intent.kind, reason },
          'Temporal did not take an intent; it is repeated within a minute',
        );
      }
    },

    async hint(tenantNo, tenantId) {
      try {
        const handle = client.workflow.getHandle(workflowIdOf(tenantId));
        await client.withDeadline(Date.now() + SIGNAL_DEADLINE_MS, () => handle.signal(HINT_SIGNAL, { tenantNo }));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        log.debug({ tenant: tenantId, reason }, 'Temporal did not take the news of a change; the interval brings it');
      }
    },

    async ensure(tenantNo) {
      const tenant = await store.tenants.byNo(tenantNo);
      if (!tenant) return 'gone';
      try {
        await client.withDeadline(Date.now() + SIGNAL_DEADLINE_MS, () =>
          client.workflow.start(TENANT_WORKFLOW, startOptions(tenant)),
        );
        return 'started';
      } catch (error) {
        if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError') return 'running';
        throw error;
      }
    },
  };
}
