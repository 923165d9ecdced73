import { setTimeout as sleep } from 'node:timers/promises';
import type { Intent } from '../store/face/intents.ts';
import type { ApiDeps } from './deps.ts';

/** An answer waits so long for the workflow to be told; the intent is committed, and a sweeper repeats it. */
const PATIENCE_MS = 2000;

/** Tells the workflow, without holding the caller up where Temporal is slow or away. */
export async function announce(intent: Intent, tenantId: string, { deliver }: Pick<ApiDeps, 'deliver'>): Promise<void> {
  const stop = new AbortController();
  const patience = sleep(PATIENCE_MS, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
  await Promise.race([deliver(intent, tenantId), patience]);
  stop.abort();
}
