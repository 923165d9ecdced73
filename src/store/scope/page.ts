import { sql, type RawBuilder } from 'kysely';
import type { FoldedObject, FoldedPage } from '../../domain/delta.ts';
import type { ObjectKind } from '../../domain/directory.ts';
import { isFilteredOut } from '../../domain/scope.ts';
import { arrayText } from '../memberships.ts';
import type { Tx } from '../schema.ts';
import { hearAssigned } from './assigned.ts';
import { lookAtReturned } from './deleted.ts';
import { addDue, dropDue } from './due.ts';
import { isGroupWanted, isUserWanted, type ScopeRow } from './in-scope.ts';

/**
 * How an item of a page must be taken: `partial` ones (of delta rounds) hold what changed and are never stored as if they were
 * the object; `whole` ones (of full rounds) are, though a group's members may be split; `picked` ones were asked for by id.
 */
export type Fullness = 'partial' | 'whole' | 'picked';

interface Round {
  readonly tenantNo: number;
  readonly staged: boolean;
  readonly held: boolean;
}

/** Of a page that what may be stored. Who is let in but not mirrored is noted, to be asked for whole before the round ends. */
export function withinScope(
  tx: Tx,
  round: Round,
  scope: ScopeRow,
  kind: ObjectKind,
  page: FoldedPage,
  fullness: Fullness,
): Promise<FoldedPage> {
  return kind === 'user'
    ? usersWithin(tx, round, scope, page, fullness)
    : groupsWithin(tx, round.tenantNo, scope, page, fullness);
}

async function usersWithin(
  tx: Tx,
  round: Round,
  scope: ScopeRow,
  page: FoldedPage,
  fullness: Fullness,
): Promise<FoldedPage> {
  const { tenantNo } = round;
  const { mirrored, wanted } = await placesOf(
    tx,
    page,
    sql`SELECT true FROM directory_user o WHERE o.tenant_no = ${tenantNo} AND o.id = i.id`,
    isUserWanted(tenantNo, scope, sql`i.id`, 'as it will be'),
  );
  const filters = !scope.guests || !scope.disabled;
  const isKnownWhole = (id: string) => fullness !== 'partial' && wanted.has(id);
  const mustBeJudged = (object: FoldedObject) =>
    filters &&
    (isFilteredOut(scope, object.data) ||
      ((fullness === 'partial' || round.staged || round.held) && mentions(object, ['userType', 'accountEnabled'])));
  const out = page.objects.filter(({ id, data }) => isKnownWhole(id) && isFilteredOut(scope, data));
  const kept = page.objects.filter(
    (object) => mirrored.has(object.id) || (isKnownWhole(object.id) && !out.includes(object)),
  );
  const due = page.objects.filter((object) =>
    mirrored.has(object.id) ? mustBeJudged(object) : fullness === 'partial' && wanted.has(object.id) && object.present,
  );
  await dropDue(tx, tenantNo, 'user', [...idsOf(out), ...goneBefore(page, mirrored, fullness)]);
  if (fullness !== 'picked') await lookAtReturned(tx, tenantNo, 'user', livingUnknown(page, mirrored));
  await addDue(tx, tenantNo, 'user', idsOf(due));
  return { ...page, objects: kept, removed: page.removed.filter(isTold(mirrored, new Set(idsOf(kept)))) };
}

async function groupsWithin(
  tx: Tx,
  tenantNo: number,
  scope: ScopeRow,
  page: FoldedPage,
  fullness: Fullness,
): Promise<FoldedPage> {
  if (scope.assignedOnly) await hearAssigned(tx, tenantNo, page);
  const { mirrored, wanted } = await placesOf(
    tx,
    page,
    sql`SELECT true FROM directory_group o WHERE o.tenant_no = ${tenantNo} AND o.id = i.id`,
    isGroupWanted(tenantNo, scope, sql`i.id`),
  );
  const { wanted: roots } =
    fullness === 'whole' && scope.nested && !scope.allGroups
      ? await placesOf(tx, page, sql`SELECT false`, isGroupWanted(tenantNo, { ...scope, nested: false }, sql`i.id`))
      : { wanted };
  // A nested group may be found to be one after a part of its members has gone by: it is asked for by its id.
  const kept = new Set(
    idsOf(page.objects).filter((id) => mirrored.has(id) || (fullness === 'picked' ? wanted : roots).has(id)),
  );
  if (fullness === 'partial') for (const id of [...kept]) if (!mirrored.has(id)) kept.delete(id);
  const joined = page.joined.filter(({ groupId }) => kept.has(groupId));
  const due = page.objects.filter(({ id, present }) => wanted.has(id) && !kept.has(id) && present);
  await dropDue(tx, tenantNo, 'group', goneBefore(page, mirrored, fullness));
  await addDue(tx, tenantNo, 'group', idsOf(due));
  if (fullness !== 'picked') await lookAtReturned(tx, tenantNo, 'group', livingUnknown(page, mirrored));
  await addMembersDue(tx, tenantNo, 'user', joined);
  if (scope.nested && !scope.allGroups) await addMembersDue(tx, tenantNo, 'group', joined);
  return {
    objects: page.objects.filter(({ id }) => kept.has(id)),
    removed: page.removed.filter(isTold(mirrored, kept)),
    joined,
    left: page.left.filter(({ groupId }) => mirrored.has(groupId) || kept.has(groupId)),
  };
}

/** Of members who join those that are not mirrored, or are about to leave. */
async function addMembersDue(tx: Tx, tenantNo: number, kind: ObjectKind, joined: FoldedPage['joined']): Promise<void> {
  const ids = joined.filter(({ memberType }) => memberType === kind).map(({ memberId }) => memberId);
  if (ids.length === 0) return;
  const going = (table: string) => sql`
    EXISTS (SELECT 1 FROM ${sql.table(table)} s WHERE s.tenant_no = ${tenantNo} AND s.kind = ${kind} AND s.object_id = i.id)`;
  await sql`
    INSERT INTO scope_due (tenant_no, kind, object_id)
    SELECT DISTINCT ${tenantNo}::int, ${kind}::text, i.id FROM unnest(${arrayText(ids)}::uuid[]) AS i(id)
    WHERE NOT EXISTS (SELECT 1 FROM ${sql.table(`directory_${kind}`)} o WHERE o.tenant_no = ${tenantNo} AND o.id = i.id)
      OR ${going('staged_removal')} OR ${going('held_removal')}
    ON CONFLICT DO NOTHING`.execute(tx);
}

async function placesOf(
  tx: Tx,
  page: FoldedPage,
  mirrored: RawBuilder<unknown>,
  wanted: RawBuilder<unknown>,
): Promise<{ readonly mirrored: ReadonlySet<string>; readonly wanted: ReadonlySet<string> }> {
  const ids = [...new Set([...idsOf(page.objects), ...idsOf(page.removed)])];
  const { rows } = await sql<{ id: string; mirrored: boolean; wanted: boolean }>`
    SELECT i.id, coalesce((${mirrored}), false) AS mirrored, ${wanted} AS wanted
    FROM unnest(${arrayText(ids)}::uuid[]) AS i(id)`.execute(tx);
  const those = (column: 'mirrored' | 'wanted') => new Set(idsOf(rows.filter((row) => row[column])));
  return { mirrored: those('mirrored'), wanted: those('wanted') };
}

/** Of what is not mirrored, nor comes with this page, only its end for good is of interest: memberships of it may be left. */
const isTold =
  (mirrored: ReadonlySet<string>, kept: ReadonlySet<string>) =>
  ({ id, reason }: FoldedPage['removed'][number]) =>
    mirrored.has(id) || kept.has(id) || reason === 'deleted';

/** Whom a feed takes back before a read showed them: one that is older than that would only say the opposite. */
const goneBefore = (page: FoldedPage, mirrored: ReadonlySet<string>, fullness: Fullness): readonly string[] =>
  fullness === 'picked' ? [] : idsOf(page.removed).filter((id) => !mirrored.has(id));

const livingUnknown = ({ objects }: FoldedPage, mirrored: ReadonlySet<string>): readonly string[] =>
  idsOf(objects.filter(({ id, present }) => present && !mirrored.has(id)));

const mentions = ({ data, cleared }: FoldedObject, names: readonly string[]): boolean =>
  names.some((name) => name in data || cleared.includes(name));

const idsOf = (things: readonly { readonly id: string }[]): readonly string[] => things.map(({ id }) => id);
