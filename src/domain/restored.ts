import type { Attributes, ObjectKind } from './directory.ts';

/** A look at a restored object that missed a kept membership counts only if a later one misses it too. */
export const SECOND_LOOK_AFTER_MS = 5 * 60_000;

/** At most, where they are kept right. */
const CLOCKS_DIFFER_MS = 60_000;

/**
 * Whether an object that the mirror does not know yet may have been there before, deleted, when all of the directory was read
 * last as of `readAsOf`, and is restored: then no feed tells its memberships (3.8). Of groups, which do not say when they were
 * created, those of Microsoft 365 and by now security groups come back; members that they list are no sign of the groups that
 * they are in themselves (4.3).
 */
export function mayBeBack(kind: ObjectKind, attributes: Attributes, readAsOf: string): boolean {
  if (kind === 'group') {
    const isUnified = JSON.stringify(attributes['groupTypes'] ?? []).includes('Unified');
    return isUnified || attributes['mailEnabled'] !== true;
  }
  return !(Date.parse(String(attributes['createdDateTime'])) > Date.parse(readAsOf) + CLOCKS_DIFFER_MS);
}

/**
 * So long may Graph's reads lag behind its delta feed: whom the feed has spoken of and no read shows is asked for again. After
 * that the feed is believed alone; memberships, too, survive a soft deletion, by Microsoft's word.
 */
export const READS_LAG_AT_MOST_MS = 60 * 60_000;
