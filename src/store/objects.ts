import { sql } from 'kysely';
import type { FoldedObject } from '../domain/delta.ts';
import type { ObjectKind } from '../domain/directory.ts';
import type { ObjectChange } from './changes.ts';
import type { FencedRound } from './fence.ts';
import { jsonText } from './json-text.ts';
import type { Tx } from './schema.ts';

export const OBJECT_TABLE = { user: sql.table('directory_user'), group: sql.table('directory_group') } as const;

/**
 * Writes the objects of a page in one statement, and only the rows that differ. What was a user's sign-in and is none any
 * more is not written but staged. Returns the changes in a round that tells them, else their number.
 */
export async function writeObjects(
  tx: Tx,
  // `whole`: what an object does not have here was never set.
  round: FencedRound & { readonly whole?: boolean },
  kind: ObjectKind,
  objects: readonly FoldedObject[],
): Promise<{ readonly written: number; readonly changes: readonly ObjectChange[] }> {
  const { tenantNo } = round;
  const table = OBJECT_TABLE[kind];
  const input = objects.map(({ id, data, cleared, kept }) =>
    cleared.length > 0 || kept ? { id, data, cleared: Array.from(cleared), kept } : { id, data },
  );
  // An initial query leaves out what was never set, so the first sight of an object in a full round is all of it. Without
  // marks the mirror was empty when the round began: then the first sight is the insert.
  const seen = round.marks
    ? sql`, seen AS (
        INSERT INTO round_mark (tenant_no, kind, object_id) SELECT ${tenantNo}::int, ${kind}::text, id FROM input
        ON CONFLICT DO NOTHING RETURNING object_id
      )`
    : sql``;
  const firstSight = round.whole ? sql`OR true` : round.marks ? sql`OR i.id IN (SELECT object_id FROM seen)` : sql``;
  const disables = kind === 'user' && objects.some(({ data }) => data['accountEnabled'] === false);
  // LIMIT keeps it a look-up of each row by its key. As a join the planner would rather read all of the tenant's rows, of
  // which it expects few while a table grows faster than it is analysed.
  const old = sql`LEFT JOIN LATERAL (
    SELECT id, data, deleted_at FROM ${table} WHERE tenant_no = ${tenantNo} AND id = i.id LIMIT 1) o ON true`;
  const whole = objects.some(({ kept }) => kept)
    ? sql`i.data || coalesce((
        SELECT jsonb_object_agg(k.key, k.value) FROM jsonb_each(o.data) k WHERE k.key = ANY(i.kept)), '{}')`
    : sql`i.data`;
  const after = sql`
    CASE WHEN o.id IS NULL ${firstSight} THEN ${whole} ELSE (o.data - coalesce(i.cleared, '{}')) || i.data END`;
  const merged = disables
    ? sql`merged AS MATERIALIZED (
        SELECT i.id, o.data AS before, o.deleted_at, o.id IS NOT NULL AS existed, ${after} AS after,
          o.id IS NOT NULL AND o.deleted_at IS NULL AND i.data->'accountEnabled' IS NOT DISTINCT FROM 'false'
            AND o.data->'accountEnabled' IS DISTINCT FROM 'false'
            -- Whoever is known in part, and without it, had no sign-in to lose.
            AND (o.data ? 'accountEnabled' OR NOT EXISTS (SELECT 1 FROM partial_object p
              WHERE p.tenant_no = ${tenantNo} AND p.kind = 'user' AND p.object_id = i.id)) AS disables
        FROM input i ${old}
      ), staged AS (
        INSERT INTO staged_removal (tenant_no, kind, object_id, reason)
        SELECT ${tenantNo}::int, 'disable', id, 'changed' FROM merged WHERE disables ON CONFLICT DO NOTHING
      ), next AS (
        SELECT id, before, deleted_at, existed, CASE WHEN NOT disables THEN after
          WHEN before ? 'accountEnabled' THEN after || jsonb_build_object('accountEnabled', before->'accountEnabled')
          ELSE after - 'accountEnabled' END AS after
        FROM merged
      )`
    : sql`next AS (
        SELECT i.id, o.data AS before, o.deleted_at, o.id IS NOT NULL AS existed, ${after} AS after
        FROM input i ${old}
      )`;
  const differs = sql`(NOT existed OR deleted_at IS NOT NULL OR after IS DISTINCT FROM before)`;
  const result = round.quiet
    ? sql`SELECT count(*) AS written FROM written`
    : sql`SELECT id, existed, deleted_at IS NOT NULL AS was_deleted, before, after FROM next WHERE ${differs}`;
  const { rows } = await sql<ObjectChange | { written: number }>`
    WITH input AS MATERIALIZED (
      SELECT * FROM jsonb_to_recordset(${jsonText(input)}::jsonb) AS i(id uuid, data jsonb, cleared text[], kept text[])
    ) ${seen}, ${merged}, written AS (
      INSERT INTO ${table} (tenant_no, id, data)
      SELECT ${tenantNo}::int, id, after FROM next
      WHERE ${differs}
      ON CONFLICT (tenant_no, id) DO UPDATE SET data = excluded.data, deleted_at = NULL
      RETURNING id
    ) ${result}`.execute(tx);
  const changes = rows.filter((row) => 'id' in row);
  return {
    changes,
    written: changes.length + rows.reduce((sum, row) => ('written' in row ? sum + row.written : sum), 0),
  };
}
