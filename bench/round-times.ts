import type { Client, WorkflowHandle } from '@temporalio/client';
import { workflowIdOf } from '../src/domain/names.ts';

/** A delta round of a tenant, as Temporal remembers it. Milliseconds since 1970. */
export interface RoundTimes {
  readonly tenantId: string;
  /** When its timer was to go off, from which on everything is our delay. */
  readonly dueAt: number;
  /** When a worker took it up. */
  readonly begunAt: number;
  readonly completedAt: number;
}

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
type HistoryEvent = NonNullable<History['events']>[number];

/** All delta rounds of a tenant, the oldest first; a workflow that began new histories is followed back through them. */
export async function roundsOf(client: Client, tenantId: string): Promise<readonly RoundTimes[]> {
  const rounds: RoundTimes[] = [];
  let runId: string | undefined;
  do {
    const { events } = await client.workflow.getHandle(workflowIdOf(tenantId), runId).fetchHistory();
    rounds.unshift(...roundsIn(tenantId, events ?? []));
    runId = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
  } while (runId !== undefined);
  return rounds;
}

function roundsIn(tenantId: string, events: readonly HistoryEvent[]): readonly RoundTimes[] {
  const rounds: RoundTimes[] = [];
  const timers = new Map<string, number>();
  const slices = new Set<string>();
  let dueAt: number | undefined;
  let begunAt: number | undefined;
  for (const event of events) {
    const id = String(event.eventId);
    const at = msOf(event.eventTime);
    const timer = event.timerStartedEventAttributes;
    if (timer) timers.set(id, at + msOf(timer.startToFireTimeout));
    const fired = event.timerFiredEventAttributes;
    if (fired) dueAt ??= timers.get(String(fired.startedEventId));
    if (event.activityTaskScheduledEventAttributes?.activityType?.name === 'syncSlice') slices.add(id);
    const started = event.activityTaskStartedEventAttributes;
    if (started && slices.has(String(started.scheduledEventId))) begunAt ??= at;
    const completed = event.activityTaskCompletedEventAttributes;
    if (!completed || !slices.has(String(completed.scheduledEventId))) continue;
    const { outcome, kind } = JSON.parse(Buffer.from(completed.result?.payloads?.[0]?.data ?? []).toString('utf8')) as {
      readonly outcome: string;
      readonly kind: string;
    };
    if (outcome !== 'completed') continue;
    // What no timer began, somebody asked for: it is no round of the interval.
    if (kind === 'delta' && dueAt !== undefined && begunAt !== undefined) {
      rounds.push({ tenantId, dueAt, begunAt, completedAt: at });
    }
    dueAt = undefined;
    begunAt = undefined;
  }
  return rounds;
}

type Span = { readonly seconds?: unknown; readonly nanos?: number | null } | null | undefined;

const msOf = (span: Span): number => Number(span?.seconds ?? 0) * 1_000 + (span?.nanos ?? 0) / 1e6;
