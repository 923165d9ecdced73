import { sql } from 'kysely';
import { arrayText } from '../memberships.ts';
import type { Database } from '../schema.ts';
import type { ObjectRow } from '../face/directory.ts';
import type { ScopePreviewStore, ScopeTarget, Some } from '../face/preview.ts';

const ids = (list: readonly string[]) => sql`${arrayText(list)}::uuid[]`;
/** To be looked for in what may be as long as the directory: the server hashes such a list, and an array it would go through. */
const listed = (list: readonly string[]) => sql`(SELECT unnest(${ids(list)}))`;

/** What a change of scope would mean for the mirror as it stands. Reads only. */
export function createScopePreview(db: Database): ScopePreviewStore {
  return {
    async inside(tenantNo, groups) {
      const { rows } = await sql<{ id: string; mirrored: boolean; member_id: string | null }>`
        SELECT i.id, g.id IS NOT NULL AS mirrored, m.member_id FROM unnest(${ids(groups)}) AS i(id)
        LEFT JOIN directory_group g ON g.tenant_no = ${tenantNo} AND g.id = i.id AND g.deleted_at IS NULL
        LEFT JOIN membership m ON m.tenant_no = ${tenantNo} AND m.group_id = g.id AND m.member_type = 'group'`.execute(
        db,
      );
      const mirrored = new Set(rows.filter((row) => row.mirrored).map(({ id }) => id));
      return { mirrored: [...mirrored], members: rows.flatMap(({ member_id: id }) => id ?? []) };
    },

    async mirrored(tenantNo, { users, groups }) {
      const of = async (table: string, list: readonly string[]) => {
        const { rows } = await sql<{ id: string }>`
          SELECT id FROM ${sql.table(table)}
          WHERE tenant_no = ${tenantNo} AND id = ANY(${ids(list)}) AND deleted_at IS NULL`.execute(db);
        return rows.map(({ id }) => id);
      };
      return { users: await of('directory_user', users), groups: await of('directory_group', groups) };
    },

    async leavers(tenantNo, target, limit) {
      const users = await some(
        db,
        limit,
        sql`
        SELECT u.id, u.data FROM directory_user u
        WHERE u.tenant_no = ${tenantNo} AND u.deleted_at IS NULL AND NOT (
          ${target.guests ? sql`true` : sql`u.data->>'userType' IS DISTINCT FROM 'Guest'`}
          AND ${target.disabled ? sql`true` : sql`u.data->'accountEnabled' IS DISTINCT FROM 'false'`}
          AND ${isWanted(tenantNo, target, sql`u.id`)})`,
      );
      const groups = target.groups
        ? await some(
            db,
            limit,
            sql`
            SELECT g.id, g.data FROM directory_group g
            WHERE g.tenant_no = ${tenantNo} AND g.deleted_at IS NULL AND g.id NOT IN ${listed(target.groups)}`,
          )
        : { count: 0, sample: [] };
      return { users, groups };
    },

    async candidates(tenantNo, target, limit) {
      const known = sql`
        SELECT member_id AS id FROM membership m WHERE m.tenant_no = ${tenantNo} AND m.member_type = 'user'
          AND ${target.groups ? sql`m.group_id = ANY(${ids(target.groups)})` : sql`true`}
        UNION SELECT unnest(${ids(target.members)}) UNION SELECT unnest(${ids(target.assigned ?? [])})`;
      const { rows } = await sql<{ id: string }>`
        SELECT c.id FROM (${known}) AS c
        WHERE NOT EXISTS (SELECT 1 FROM directory_user u WHERE u.tenant_no = ${tenantNo} AND u.id = c.id)
          AND ${isWanted(tenantNo, target, sql`c.id`)}
        ORDER BY c.id LIMIT ${limit}`.execute(db);
      return rows.map(({ id }) => id);
    },
  };
}

function isWanted(tenantNo: number, { groups, members, assigned }: ScopeTarget, id: ReturnType<typeof sql>) {
  const member = groups
    ? sql`(${id} IN ${listed(members)} OR EXISTS (SELECT 1 FROM membership w
        WHERE w.tenant_no = ${tenantNo} AND w.member_id = ${id} AND w.group_id = ANY(${ids(groups)})))`
    : sql`true`;
  return sql`(${member} AND ${assigned ? sql`${id} IN ${listed(assigned)}` : sql`true`})`;
}

async function some(db: Database, limit: number, all: ReturnType<typeof sql>): Promise<Some<ObjectRow>> {
  const { rows } = await sql<ObjectRow & { n: number }>`
    SELECT a.id, a.data, count(*) OVER () AS n FROM (${all}) AS a ORDER BY a.id LIMIT ${limit}`.execute(db);
  return { count: rows[0]?.n ?? 0, sample: rows.map(({ id, data }) => ({ id, data })) };
}
