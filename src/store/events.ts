import { sql } from 'kysely';
import type { NewEvent } from '../domain/event.ts';
import { netOf } from './changes.ts';
import type { FencedRound } from './fence.ts';
import type { Tx } from './schema.ts';
import { jsonText } from './json-text.ts';

/**
 * Appends events to the feed. It must be the transaction's last statement: from here to COMMIT the feed's row is locked,
 * which makes the order of commits the order of positions, and the others wait.
 */
export async function tell(tx: Tx, tenantNo: number, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map((event, index) => ({
    n: index + 1,
    type: event.type,
    kind: event.subject.kind,
    id: event.subject.id,
    data: event.data,
    changed: event.changed,
    reason: event.reason,
  }));
  await sql`
    WITH place AS (UPDATE feed SET head = head + ${rows.length}::int RETURNING epoch, head)
    INSERT INTO event (position, epoch, tenant_no, at, type, subject_kind, subject_id, data, changed, reason)
    SELECT place.head - ${rows.length}::int + e.n, place.epoch, ${tenantNo}::int, clock_timestamp(),
      e.type, e.kind, e.id, e.data, e.changed, e.reason
    FROM place, jsonb_to_recordset(${jsonText(rows)}::jsonb)
      AS e(n int, type text, kind text, id text, data jsonb, changed jsonb, reason text)`.execute(tx);
}

/** Adds what a part of a running round wrote to its sums, and tells it unless the round is a quiet one. */
export async function tellInRound(
  tx: Tx,
  { tenantNo, quiet }: Pick<FencedRound, 'tenantNo' | 'quiet'>,
  { written, events }: { readonly written: number; readonly events: readonly NewEvent[] },
): Promise<number> {
  const told = quiet ? [] : events;
  const changes = quiet ? written : told.length;
  if (changes === 0) return 0;
  const net = netOf(told);
  await sql`
    UPDATE round SET changes = changes + ${changes}, users = users + ${net.users}, groups = groups + ${net.groups},
      memberships = memberships + ${net.memberships}
    WHERE tenant_no = ${tenantNo}`.execute(tx);
  await tell(tx, tenantNo, told);
  return changes;
}
