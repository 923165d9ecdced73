import { sql } from 'kysely';
import { arrayText } from './memberships.ts';
import { forgetRestored } from './restored.ts';
import type { Tx } from './schema.ts';

/** Removes soft-deleted or absent people: rows, memberships, what is staged or held of them, and their data in events. */
export async function erasePersons(
  tx: Tx,
  tenantNo: number,
  persons: readonly string[],
  how: 'keep ids' | 'leave nothing',
): Promise<void> {
  if (persons.length === 0) return;
  const ids = sql`${arrayText(persons)}::uuid[]`;
  // Of someone absent a membership may be all that Graph tells; it is in force, and holds nothing but ids.
  await sql`
    DELETE FROM membership m USING directory_user u
    WHERE m.tenant_no = ${tenantNo} AND m.member_id = ANY(${ids})
      AND u.tenant_no = ${tenantNo} AND u.id = m.member_id AND u.deleted_at IS NOT NULL`.execute(tx);
  for (const table of ['staged_removal', 'held_removal', 'round_mark']) {
    await sql`
      DELETE FROM ${sql.table(table)}
      WHERE tenant_no = ${tenantNo} AND (object_id = ANY(${ids}) AND kind IN ('user', 'disable') OR member_id = ANY(${ids}))`.execute(
      tx,
    );
  }
  await forgetRestored(tx, tenantNo, persons);
  const rows = sql`tenant_no = ${tenantNo} AND id = ANY(${ids}) AND deleted_at IS NOT NULL`;
  if (how === 'keep ids') await sql`UPDATE directory_user SET data = '{}' WHERE ${rows}`.execute(tx);
  else await sql`DELETE FROM directory_user WHERE ${rows}`.execute(tx);
  await blankEvents(tx, tenantNo, persons);
}

/** Of a person's events the id stays: consumers that read them late learn that there was one, and that it is gone. */
export async function blankEvents(tx: Tx, tenantNo: number, persons: readonly string[]): Promise<void> {
  if (persons.length === 0) return;
  await sql`
    UPDATE event SET data = jsonb_build_object('id', subject_id), changed = NULL, reason = 'purge'
    -- Each person looked up by itself, whatever the planner believes of a feed that has grown a moment ago.
    WHERE position = ANY (ARRAY(SELECT e.position FROM unnest(${arrayText(persons)}::text[]) AS i(id) CROSS JOIN LATERAL (
      SELECT position FROM event
      WHERE tenant_no = ${tenantNo} AND subject_kind = 'user' AND subject_id = i.id OFFSET 0) e))`.execute(tx);
}
