import { sql } from 'kysely';
import type { NewEvent } from '../domain/event.ts';
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
