import type { FoldedPage } from '../domain/delta.ts';
import type { ObjectKind } from '../domain/directory.ts';
import type { NewEvent } from '../domain/event.ts';
import { copyRows, escaped } from './copy.ts';
import type { FencedRound } from './fence.ts';
import { jsonText } from './json-text.ts';
import { writeObjects } from './objects.ts';
import type { Tx } from './schema.ts';

/**
 * A page of a first import, into tables that had nothing of the tenant: everything in it is new, but for a group that goes
 * on over pages, which comes again with each. What is not new after all rejects with `isDuplicate`.
 */
export async function importPage(
  tx: Tx,
  round: FencedRound,
  kind: ObjectKind,
  { objects, joined }: FoldedPage,
): Promise<{ written: number; events: readonly NewEvent[] }> {
  const { tenantNo } = round;
  let written = objects.length;
  if (kind === 'group') ({ written } = await writeObjects(tx, round, kind, objects));
  else {
    let users = '';
    for (const { id, data } of objects) users += `${tenantNo}\t${id}\t${escaped(jsonText(data))}\n`;
    await copyRows(tx, 'directory_user (tenant_no, id, data)', users);
  }
  let members = '';
  for (const { groupId, memberId, memberType } of joined) {
    members += `${tenantNo}\t${groupId}\t${memberId}\t${memberType}\n`;
  }
  await copyRows(tx, 'membership (tenant_no, group_id, member_id, member_type)', members);
  return { written: written + joined.length, events: [] };
}
