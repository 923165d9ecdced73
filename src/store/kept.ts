import { sql, type RawBuilder } from 'kysely';

// Conditions on the membership `m` of the statement around them.

export const isRestored = (tenantNo: number): RawBuilder<unknown> => sql`
  EXISTS (SELECT 1 FROM restored_object r WHERE r.tenant_no = ${tenantNo} AND r.object_id IN (m.group_id, m.member_id))`;

export const isSpokenOf = (tenantNo: number): RawBuilder<unknown> => sql`
  EXISTS (SELECT 1 FROM membership_word w
    WHERE w.tenant_no = ${tenantNo} AND w.group_id = m.group_id AND w.member_id = m.member_id)`;

/** Kept from before a deletion, and not yet seen again: must not be told. */
export const awaitsLook = (tenantNo: number): RawBuilder<unknown> =>
  sql`(${isRestored(tenantNo)} AND NOT ${isSpokenOf(tenantNo)})`;
