import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { IntentKind, IntentMessage } from '../domain/intent.ts';
import type { TenantWorkflowState } from '../domain/tenant-workflow.ts';

/** Intents of the API arrive as signals under their kind's name: durable at once, with or without a worker. */
export const intentSignal = (kind: IntentKind) => defineSignal<[IntentMessage]>(kind);

/** A person at the Temporal UI or CLI wants an answer: updates, without arguments. */
export const pause = defineUpdate<TenantWorkflowState>('pauseTenant');
export const resume = defineUpdate<TenantWorkflowState>('resumeTenant');
export const syncNow = defineUpdate<TenantWorkflowState>('syncNow');
export const resync = defineUpdate<TenantWorkflowState>('resyncTenant');

export const status = defineQuery<TenantWorkflowState>('status');
