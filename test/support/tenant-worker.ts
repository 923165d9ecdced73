import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from '@jest/globals';
import {
  Client,
  Connection,
  type WorkflowHandle,
  type WorkflowHandleWithFirstExecutionRunId,
} from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type {
  GraphActivities,
  HeldVerdict,
  KeepOutcome,
  OwnActivities,
  SliceInput,
  SliceOutcome,
  TenantRecord,
  TokenReport,
  VerifyOutcome,
} from '../../src/domain/activities.ts';
import type { IntentKind } from '../../src/domain/intent.ts';
import { graphTaskQueueOf, TENANT_WORKFLOW, workflowIdOf } from '../../src/domain/names.ts';
import {
  initialState,
  type TenantInput,
  type TenantPolicy,
  type TenantWorkflowState,
} from '../../src/domain/tenant-workflow.ts';

const QUICK: Partial<TenantPolicy> = {
  minRetryMs: 100,
  maxRetryMs: 500,
  verifyWindowMs: 1_500,
  partialWindowMs: 1_000,
  secondLookMs: 1_000,
};

/** What the activities of a test do; each call is recorded. */
export interface Script {
  refreshToken: () => Promise<TokenReport>;
  verifyConsent: () => Promise<VerifyOutcome>;
  syncSlice: (input: SliceInput) => Promise<SliceOutcome>;
  settleHeld: (verdict: HeldVerdict) => Promise<{ heldSince: string | null }>;
  reconcileSlice: () => Promise<void>;
  keepSubscriptions: () => Promise<KeepOutcome>;
  /** When the data of a revoked tenant is to be purged; null: it is, or there is none. */
  purgeRevoked: () => number | null;
}

export interface TenantTest {
  readonly script: Script;
  readonly records: TenantRecord[];
  readonly slices: SliceInput[];
  readonly calls: string[];
  readonly handle: WorkflowHandle;
  readonly client: Client;
  hint(tenantNo?: number): Promise<void>;
  signal(kind: IntentKind, seq: number, tenantNo?: number): Promise<void>;
  status(): Promise<TenantWorkflowState>;
  /** Waits until a condition on what was seen so far holds. */
  until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs?: number): Promise<void>;
}

export const LONG_MS = 3_600_000;
export const completed = (input: SliceInput, nextInMs = LONG_MS): SliceOutcome => ({
  outcome: 'completed',
  kind: input.kind,
  changes: 0,
  nextInMs,
  tokenExpiresAt: Date.now() + LONG_MS,
});

/** Runs one tenant's workflow on the test's Temporal server, with activities that do what the test says. */
export async function withTenant(
  options: { readonly phase?: TenantWorkflowState['phase']; readonly policy?: Partial<TenantPolicy> },
  body: (test: TenantTest) => Promise<void>,
): Promise<void> {
  const address = process.env['TEST_TEMPORAL_ADDRESS'];
  const codePath = process.env['TEST_WORKFLOW_BUNDLE'];
  if (address === undefined || codePath === undefined) throw new Error('The global set-up of the tests did not run');
  quietRuntime();
  const connection = await Connection.connect({ address });
  const nativeConnection = await NativeConnection.connect({ address });
  const client = new Client({ connection });
  const taskQueue = `test-${randomUUID()}`;
  const records: TenantRecord[] = [];
  const slices: SliceInput[] = [];
  const calls: string[] = [];
  const script: Script = {
    refreshToken: async () => ({ expiresAt: Date.now() + LONG_MS, missing: [] }),
    verifyConsent: async () => ({ verified: true, missing: [] }),
    syncSlice: async (input) => completed(input),
    settleHeld: async () => ({ heldSince: null }),
    reconcileSlice: async () => {},
    keepSubscriptions: async () => ({ kept: 'ok', begun: false }),
    purgeRevoked: () => null,
  };
  const own: OwnActivities = {
    recordState: async (record) => void records.push(record),
    settleHeld: async ({ verdict }) => {
      calls.push(`settleHeld ${verdict}`);
      return script.settleHeld(verdict);
    },
    purgeRevoked: async () => {
      calls.push('purgeRevoked');
      return { dueAt: script.purgeRevoked() };
    },
    purgeTenant: async () => void calls.push('purgeTenant'),
  };
  const graph: GraphActivities = {
    refreshToken: async () => {
      calls.push('refreshToken');
      return script.refreshToken();
    },
    verifyConsent: async () => {
      calls.push('verifyConsent');
      return script.verifyConsent();
    },
    syncSlice: async (input) => {
      calls.push('syncSlice');
      slices.push(input);
      return script.syncSlice(input);
    },
    reconcileSlice: async () => {
      calls.push('reconcileSlice');
      return script.reconcileSlice();
    },
    keepSubscriptions: async () => {
      calls.push('keepSubscriptions');
      return script.keepSubscriptions();
    },
  };
  const common = { connection: nativeConnection, maxHeartbeatThrottleInterval: 200 };
  const [deciding, fetching] = await Promise.all([
    Worker.create({ ...common, taskQueue, workflowBundle: { codePath }, activities: { ...own } }),
    Worker.create({ ...common, taskQueue: graphTaskQueueOf(taskQueue), activities: { ...graph } }),
  ]);
  const tenantId = randomUUID();
  const state = initialState({
    phase: options.phase ?? 'awaiting_consent',
    paused: false,
    problem: null,
    round: null,
    deleting: false,
  });
  const input: TenantInput = { tenantNo: 7, tenantId, state, policy: { ...QUICK, ...options.policy } };
  try {
    await deciding.runUntil(
      fetching.runUntil(async () => {
        const handle = await client.workflow.start(TENANT_WORKFLOW, {
          workflowId: workflowIdOf(tenantId),
          taskQueue,
          args: [input],
        });
        const latest = client.workflow.getHandle(workflowIdOf(tenantId));
        try {
          await body({
            script,
            records,
            slices,
            calls,
            handle: latest,
            client,
            signal: (kind, seq, tenantNo = 7) => latest.signal(kind, { tenantNo, intentId: `intent-${seq}`, seq }),
            hint: (tenantNo = 7) => latest.signal('hint', { tenantNo }),
            status: () => latest.query<TenantWorkflowState>('status'),
            until: async (what, holds, timeoutMs = 60_000) => {
              const end = Date.now() + timeoutMs;
              while (!(await holds())) {
                if (Date.now() > end) throw new Error(`Waited ${timeoutMs} ms in vain until ${what}`);
                await new Promise((resolve) => setTimeout(resolve, 25));
              }
            },
          });
          await recordHistory(address, handle);
        } finally {
          await latest.terminate('end of the test').catch(() => undefined);
        }
      }),
    );
  } finally {
    await nativeConnection.close();
    await connection.close();
  }
}

/**
 * With RECORD_HISTORIES set, keeps what the run left behind for the replay test: a later change of the workflow must be able
 * to go on from there. Done once for each released version of the workflow.
 */
async function recordHistory(
  address: string,
  { workflowId, firstExecutionRunId }: WorkflowHandleWithFirstExecutionRunId,
): Promise<void> {
  const folder = process.env['RECORD_HISTORIES'];
  if (folder === undefined) return;
  const args = ['workflow', 'show', '--address', address, '-w', workflowId, '-r', firstExecutionRunId, '-o', 'json'];
  const { stdout } = await promisify(execFile)(process.env['TEST_TEMPORAL_CLI'] ?? 'temporal', args, {
    maxBuffer: 64 << 20,
  });
  const name = (expect.getState().currentTestName ?? workflowId).replace(/[^a-z0-9]+/gi, '-').toLowerCase();
  // Which machine it was is nobody's business.
  const scrubbed = JSON.stringify(
    JSON.parse(stdout),
    (key, value: unknown) => (key === 'stackTrace' ? '' : key === 'identity' ? 'worker' : value),
    2,
  );
  writeFileSync(
    join(folder, `${name.slice(0, 80)}.json`),
    `${scrubbed.replaceAll(`${process.pid}@${hostname()}`, 'worker')}\n`,
  );
}

let installed = false;
/** Once a test file: Jest gives each its own module registry, and with it its own runtime. */
export function quietRuntime(): void {
  if (installed) return;
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  installed = true;
}
