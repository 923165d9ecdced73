/** A look at a restored object that missed a kept membership counts only if a later one misses it too. */
export const SECOND_LOOK_AFTER_MS = 5 * 60_000;

/**
 * So long may Graph's reads lag behind its delta feed, which said that the object is back. After that the feed is believed
 * alone: memberships survive a soft deletion, by Microsoft's word.
 */
export const LOOKS_GIVE_UP_AFTER_MS = 60 * 60_000;
