import { sql } from 'kysely';
import type { Attributes, Membership, MemberType } from '../domain/directory.ts';
import type { Database } from './schema.ts';
import type { DirectoryStore, ObjectRow } from './face/directory.ts';
import type { Page } from './face/tenants.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const LOWEST = '00000000-0000-0000-0000-000000000000';

/** The mirror as others see it: what is soft-deleted is not there. */
export function createDirectory(db: Database): DirectoryStore {
  return {
    users: (tenantNo, after, limit) => listObjects(db, 'directory_user', tenantNo, after, limit),
    groups: (tenantNo, after, limit) => listObjects(db, 'directory_group', tenantNo, after, limit),
    user: (tenantNo, id) => findObject(db, 'directory_user', tenantNo, id),
    group: (tenantNo, id) => findObject(db, 'directory_group', tenantNo, id),

    async memberships(tenantNo, after, limit) {
      const [group, member] = after === undefined ? [] : after.split(':');
      const { rows } = await sql<{ group_id: string; member_id: string; member_type: MemberType }>`
        SELECT group_id, member_id, member_type FROM visible_membership
        WHERE tenant_no = ${tenantNo}
          ${after === undefined ? sql`` : sql`AND (group_id, member_id) > (${group}::uuid, ${member}::uuid)`}
        ORDER BY group_id, member_id LIMIT ${sql.lit(limit + 1)}`.execute(db);
      const data = rows.map((row): Membership => ({
        groupId: row.group_id,
        memberId: row.member_id,
        memberType: row.member_type,
      }));
      return pageOf(data, limit, ({ groupId, memberId }) => `${groupId}:${memberId}`);
    },

    async groupsOf(tenantNo, userId, transitive, after, limit) {
      if (!UUID.test(userId)) return { data: [], next: null };
      const { rows } = await sql<ObjectRow>`
        WITH RECURSIVE of_user AS (
          SELECT group_id FROM visible_membership WHERE tenant_no = ${tenantNo} AND member_id = ${userId}::uuid
          ${
            transitive
              ? sql`UNION SELECT m.group_id FROM of_user o
                  JOIN visible_membership m ON m.tenant_no = ${tenantNo} AND m.member_id = o.group_id`
              : sql``
          }
        )
        SELECT g.id, g.data FROM directory_group g JOIN of_user o ON o.group_id = g.id
        WHERE g.tenant_no = ${tenantNo} AND g.id > ${after ?? LOWEST}::uuid
        ORDER BY g.id LIMIT ${sql.lit(limit + 1)}`.execute(db);
      return pageOf(rows, limit, (row) => row.id);
    },

    async membersOf(tenantNo, groupId, transitive, after, limit) {
      if (!UUID.test(groupId)) return { data: [], next: null };
      const { rows } = await sql<{ id: string; member_type: MemberType; data: Attributes | null }>`
        WITH RECURSIVE in_group AS (
          SELECT member_id, member_type FROM visible_membership
          WHERE tenant_no = ${tenantNo} AND group_id = ${groupId}::uuid
          ${
            transitive
              ? sql`UNION SELECT m.member_id, m.member_type FROM in_group i
                  JOIN visible_membership m ON m.tenant_no = ${tenantNo} AND m.group_id = i.member_id`
              : sql``
          }
        ), paged AS (
          SELECT member_id, member_type FROM in_group
          WHERE member_id > ${after ?? LOWEST}::uuid ${transitive ? sql`AND member_id <> ${groupId}::uuid` : sql``}
          ORDER BY member_id LIMIT ${sql.lit(limit + 1)}
        )
        SELECT p.member_id AS id, p.member_type, coalesce(u.data, g.data) AS data FROM paged p
        LEFT JOIN directory_user u ON u.tenant_no = ${tenantNo} AND u.id = p.member_id
        LEFT JOIN directory_group g ON g.tenant_no = ${tenantNo} AND g.id = p.member_id
        ORDER BY p.member_id`.execute(db);
      const data = rows.map((row) => ({ id: row.id, memberType: row.member_type, data: row.data }));
      return pageOf(data, limit, (row) => row.id);
    },

    async path(tenantNo, userId, groupId) {
      if (!UUID.test(userId) || !UUID.test(groupId)) return undefined;
      const { rows } = await sql<Edge>`
        WITH RECURSIVE of_user AS (
          SELECT group_id FROM visible_membership WHERE tenant_no = ${tenantNo} AND member_id = ${userId}::uuid
          UNION
          SELECT m.group_id FROM of_user o
          JOIN visible_membership m ON m.tenant_no = ${tenantNo} AND m.member_id = o.group_id
        )
        SELECT m.member_id, m.group_id FROM visible_membership m
        WHERE m.tenant_no = ${tenantNo}
          AND (m.member_id = ${userId}::uuid OR m.member_id IN (SELECT group_id FROM of_user))
        ORDER BY m.group_id`.execute(db);
      return shortestPath(rows, userId.toLowerCase(), groupId.toLowerCase());
    },
  };
}

async function listObjects(
  db: Database,
  table: 'directory_user' | 'directory_group',
  tenantNo: number,
  after: string | undefined,
  limit: number,
): Promise<Page<ObjectRow>> {
  const rows = await db
    .selectFrom(table)
    .select(['id', 'data'])
    .where('tenant_no', '=', tenantNo)
    .where('deleted_at', 'is', null)
    .$if(after !== undefined, (query) => query.where('id', '>', after ?? LOWEST))
    .orderBy('id')
    .limit(sql.lit(limit + 1))
    .execute();
  return pageOf(rows, limit, (row) => row.id);
}

async function findObject(
  db: Database,
  table: 'directory_user' | 'directory_group',
  tenantNo: number,
  id: string,
): Promise<ObjectRow | undefined> {
  // What is no id is no object either; asked for it, the database would call it an error.
  if (!UUID.test(id)) return undefined;
  return db
    .selectFrom(table)
    .select(['id', 'data'])
    .where('tenant_no', '=', tenantNo)
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
}

/** One row more than asked for was read: whether there is a next page is then known. */
function pageOf<T>(rows: readonly T[], limit: number, keyOf: (row: T) => string): Page<T> {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  return { data, next: rows.length > limit && last !== undefined ? keyOf(last) : null };
}

interface Edge {
  readonly member_id: string;
  readonly group_id: string;
}

/** Breadth first, so that the first chain found is a shortest one, and a cycle is walked once. */
function shortestPath(edges: readonly Edge[], from: string, to: string): readonly string[] | undefined {
  const above = new Map<string, string[]>();
  for (const { member_id, group_id } of edges) {
    const groups = above.get(member_id);
    if (groups) groups.push(group_id);
    else above.set(member_id, [group_id]);
  }
  const cameFrom = new Map<string, string | null>([[from, null]]);
  const queue = [from];
  for (const at of queue) {
    if (at === to) break;
    for (const group of above.get(at) ?? []) {
      if (cameFrom.has(group)) continue;
      cameFrom.set(group, at);
      queue.push(group);
    }
  }
  const path: string[] = [];
  for (let at = to; at !== from;) {
    const before = cameFrom.get(at);
    if (before === undefined || before === null) return undefined;
    path.unshift(at);
    at = before;
  }
  return path;
}
