import { sql } from 'kysely';
import type { EventReason, EventType, FeedEvent, NewEvent } from '../domain/event.ts';
import type { Database } from './schema.ts';
import type { FeedStore } from './face/feed.ts';

/** Events of all tenants in the order of their commits. */
export function createFeed(db: Database): FeedStore {
  return {
    async head() {
      const { epoch, head } = await db.selectFrom('feed').select(['epoch', 'head']).executeTakeFirstOrThrow();
      return cursorOf(epoch, head);
    },

    async read(after, limit, tenantNo) {
      const cursor = after === undefined ? undefined : parseCursor(after);
      if (cursor === null) return 'expired';
      const ofTenant = tenantNo === undefined ? sql`` : sql`AND e.tenant_no = ${tenantNo}`;
      // One statement, so that head and events are of one moment: a short answer then reaches up to the head.
      const { rows } = await sql<FeedRow>`
        SELECT f.epoch AS feed_epoch, f.head, f.floor, e.*
        FROM feed f LEFT JOIN LATERAL (
          SELECT e.*, t.id AS tenant FROM event e JOIN tenant t ON t.no = e.tenant_no
          WHERE e.position > ${cursor ? sql`${cursor.position}::bigint` : sql`f.floor`} ${ofTenant}
          ORDER BY e.position LIMIT ${sql.lit(limit)}
        ) e ON true
        ORDER BY e.position`.execute(db);
      const [feed] = rows;
      if (!feed) throw new Error('The feed has no row');
      if (cursor && (cursor.epoch !== feed.feed_epoch || cursor.position < feed.floor || cursor.position > feed.head)) {
        return 'expired';
      }
      const told = rows.filter(isEvent);
      const last = told.at(-1);
      const position = last && told.length >= limit ? last.position : feed.head;
      return { events: told.map(fromRow), cursor: cursorOf(feed.feed_epoch, position) };
    },
  };
}

interface FeedRow {
  readonly feed_epoch: number;
  readonly head: number;
  readonly floor: number;
  readonly position: number | null;
}

interface EventRow extends FeedRow {
  readonly position: number;
  readonly epoch: number;
  readonly tenant: string;
  readonly at: string;
  readonly type: EventType;
  readonly subject_kind: NewEvent['subject']['kind'];
  readonly subject_id: string;
  readonly data: unknown;
  readonly changed: NonNullable<NewEvent['changed']> | null;
  readonly reason: EventReason | null;
}

const isEvent = (row: FeedRow): row is EventRow => row.position !== null;

const cursorOf = (epoch: number, position: number): string => `${epoch}-${position}`;

/** Null for what was never a cursor of ours. */
function parseCursor(text: string): { epoch: number; position: number } | null {
  const [, epoch, position] = /^(\d{1,15})-(\d{1,15})$/.exec(text) ?? [];
  return epoch === undefined || position === undefined ? null : { epoch: Number(epoch), position: Number(position) };
}

const fromRow = (row: EventRow): FeedEvent => ({
  id: cursorOf(row.epoch, row.position),
  tenant: row.tenant,
  type: row.type,
  at: row.at,
  subject: { kind: row.subject_kind, id: row.subject_id },
  data: row.data,
  ...(row.changed && { changed: row.changed }),
  ...(row.reason && { reason: row.reason }),
});
