import type { ObjectRow } from '../../store/face/directory.ts';
import type { ApiDeps } from '../deps.ts';
import { MAX_LIMIT } from '../schemas/paging.ts';

/** All groups of a user, however many. */
export async function groupsOf(
  tenantNo: number,
  userId: string,
  transitive: boolean,
  { store }: Pick<ApiDeps, 'store'>,
): Promise<readonly ObjectRow[]> {
  const groups: ObjectRow[] = [];
  let after: string | undefined;
  do {
    const page = await store.directory.groupsOf(tenantNo, userId, transitive, after, MAX_LIMIT);
    groups.push(...page.data);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return groups;
}
