/** How long things are kept that nobody needs for ever, in milliseconds. */
export interface Retention {
  /** Events of the feed. Consumers that were away for longer read the lists again. */
  readonly eventsMs: number;
  /** People after their soft deletion: so long Microsoft can restore them. */
  readonly personsMs: number;
  /** Intents that a workflow has taken. */
  readonly intentsMs: number;
}

const DAY_MS = 24 * 60 * 60_000;

/** Days that a mirror is kept after a revocation, where the tenant says nothing else. */
export const RETAIN_DAYS = 30;

export const RETENTION: Retention = { eventsMs: 30 * DAY_MS, personsMs: 30 * DAY_MS, intentsMs: DAY_MS };
