import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { IntentKind, IntentMessage } from '../domain/intent.ts';
import { HINT_SIGNAL } from '../domain/names.ts';
import type { TenantWorkflowState } from '../domain/tenant-workflow.ts';

/** Intents of the API arrive as signals under their kind's name: durable at once, with or without a worker. */
export const intentSignal = (kind: IntentKind) => defineSignal<[IntentMessage]>(kind);

/** A person at the Temporal UI or CLI wants an answer: updates, without arguments. */
export const pause = defineUpdate<TenantWorkflowState>('pauseTenant');
export const resume = defineUpdate<TenantWorkflowState>('resumeTenant');
export const syncNow = defineUpdate<TenantWorkflowState>('syncNow');
export const resync = defineUpdate<TenantWorkflowState>('resyncTenant');

/** Microsoft told of a change. Worth a round and nothing else: it may be lost, late, or for another life of the name. */
export const hint = defineSignal<[{ readonly tenantNo: number }]>(HINT_SIGNAL);

export const status = defineQuery<TenantWorkflowState>('status');
