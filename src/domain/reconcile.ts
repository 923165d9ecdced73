/** When the mirror is held against a fresh read of the whole directory. Durations in milliseconds. */

const DAY_MS = 24 * 60 * 60_000;

/** Delta query may be silent about a change, and nothing but a fresh read finds out. */
export const RECONCILE_EVERY_MS = 7 * DAY_MS;

/** How often Graph's own counts of users and groups are asked for; differing twice in a row, they are a suspicion. */
export const COUNT_EVERY_MS = 60 * 60_000;
export const STRIKES_TO_RECONCILE = 2;

/** A read may be older than the feed: what it says counts only if a later look says so too. */
export const SUSPECT_LOOK_AFTER_MS = 5 * 60_000;

/** After Microsoft refused to answer. */
export const RECONCILE_RETRY_MS = DAY_MS;
