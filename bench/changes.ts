import type { EmulatorProgram } from '../demo/launch.ts';
import { onServer } from './database.ts';

/** Changes of which each becomes exactly one difference: people get another title, and join groups. */
export interface Changes {
  readonly users: readonly string[];
  readonly title: string;
  /** Group to the people who join it. */
  readonly joins: ReadonlyMap<string, readonly string[]>;
}

const UPDATED = 800;
const GROUPS = 20;
const JOINING_EACH = 10;
export const CHANGES = UPDATED + GROUPS * JOINING_EACH;
const AT_A_TIME = 16;

/** Picks from the mirror, another choice with each `run`: ids are strewn over a directory's rows as real changes are. */
export async function pickChanges(databaseUrl: string, tenantId: string, run: number): Promise<Changes> {
  const picked = (table: string, count: number) =>
    `SELECT id, tenant_no FROM ${table}
     WHERE tenant_no = (SELECT no FROM tenant WHERE id = '${tenantId}') AND deleted_at IS NULL
     ORDER BY md5(id::text || '${run}') LIMIT ${count}`;
  const users = await onServer<{ id: string }>(databaseUrl, picked('directory_user', UPDATED));
  const joining = await onServer<{ group: string; user: string }>(
    databaseUrl,
    `WITH users AS MATERIALIZED (${picked('directory_user', UPDATED)}), groups AS (${picked('directory_group', GROUPS)})
     SELECT g.id AS "group", u.id AS "user" FROM groups g CROSS JOIN LATERAL (
       SELECT u.id FROM users u
       WHERE NOT EXISTS (SELECT 1 FROM membership m
         WHERE m.tenant_no = u.tenant_no AND m.group_id = g.id AND m.member_id = u.id)
       ORDER BY md5(u.id::text || g.id::text) LIMIT ${JOINING_EACH}) u`,
  );
  const joins = new Map<string, string[]>();
  for (const { group, user } of joining) joins.set(group, [...(joins.get(group) ?? []), user]);
  if (users.length + joining.length !== CHANGES) throw new Error(`${tenantId} is too small for ${CHANGES} changes`);
  return { users: users.map(({ id }) => id), title: `Title ${run}`, joins };
}

export async function applyChanges(emulator: EmulatorProgram, directoryId: string, changes: Changes): Promise<void> {
  const set = `tenants/${directoryId}`;
  const steps = [
    ...changes.users.map((id) => () => emulator.control('PATCH', `${set}/users/${id}`, { jobTitle: changes.title })),
    ...Array.from(
      changes.joins,
      ([group, ids]) =>
        () =>
          emulator.control('POST', `${set}/groups/${group}/members`, { ids }),
    ),
  ];
  while (steps.length > 0) await Promise.all(steps.splice(0, AT_A_TIME).map((step) => step()));
}
