import type { Attributes, ObjectKind } from './directory.ts';

/** A look at a restored object that missed a kept membership counts only if a later one misses it too. */
export const SECOND_LOOK_AFTER_MS = 5 * 60_000;

/** Clocks differ, and the feed may be late. */
const NEW_WITHIN_MS = 60 * 60_000;

/**
 * Whether an object that the mirror does not know yet was there before it became as of `asOf`, deleted, and is restored: then
 * no feed tells its memberships (3.8). Of groups those of Microsoft 365 and, by now, security groups come back, and some do not
 * list their members again (4.3).
 */
export function mayBeBack(kind: ObjectKind, attributes: Attributes, hasMembers: boolean, asOf: string): boolean {
  if (kind === 'group') {
    const isUnified = JSON.stringify(attributes['groupTypes'] ?? []).includes('Unified');
    return !hasMembers && (isUnified || attributes['mailEnabled'] !== true);
  }
  return !(Date.parse(String(attributes['createdDateTime'])) > Date.parse(asOf) - NEW_WITHIN_MS);
}

/**
 * So long may Graph's reads lag behind its delta feed, which said that the object is back. After that the feed is believed
 * alone: memberships survive a soft deletion, by Microsoft's word.
 */
export const LOOKS_GIVE_UP_AFTER_MS = 60 * 60_000;
