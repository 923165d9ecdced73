import type { TenantRow } from '../../store/face/tenants.ts';
import { groupsToSync } from '../schemas/fields.ts';

/** The administrator may name groups where the product has named none, and before anything was read. */
export const mayChooseGroups = (tenant: TenantRow): boolean =>
  tenant.groupsToSync.length === 0 && tenant.entraTenantId === null;

export type ChosenGroups =
  | { readonly ok: true; readonly groups: readonly string[] }
  | { readonly ok: false; readonly given: string; readonly fault: string };

/** What was typed into the form, by the rules of the API. What cannot be read is never taken for "everything". */
export function readGroups(given: unknown): ChosenGroups {
  if (given === undefined) return { ok: true, groups: [] };
  if (typeof given !== 'string') return { ok: false, given: '', fault: 'One line is expected.' };
  const read = groupsToSync.safeParse(given);
  if (read.success) return { ok: true, groups: read.data };
  const [issue] = read.error.issues;
  return { ok: false, given, fault: issue?.message ?? 'This cannot be read.' };
}
