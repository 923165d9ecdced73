/** How values come out of both drivers: numbers that JavaScript can count with, times as ISO 8601. */
export const INT8 = 20;
export const TIMESTAMPTZ = 1184;

export const isoTime = (text: string): string => new Date(text).toISOString();

/**
 * What every connection begins with. Planned for its very values, a statement about a tenant that came after the tables
 * were last analysed goes the way for a tenant without rows, which for one with a million is minutes instead of
 * milliseconds. A generic plan is made for an average tenant. And no statement here runs long enough to be worth compiling.
 */
export const SESSION = 'SET plan_cache_mode = force_generic_plan; SET jit = off';

/**
 * A process that was stopped in the middle of a transaction, or a machine that vanished, holds what it had locked: its tenant,
 * and at the wrong moment the feed of all tenants. The server ends such a transaction before the slice's next attempt begins.
 */
export const LONGEST_SILENCE_MS = 10_000;
export const SERVER_SESSION = `${SESSION}; SET idle_in_transaction_session_timeout = ${LONGEST_SILENCE_MS}`;

/** The same for COPY, in which the server waits for rows inside a statement: far more than those of a page ever take. */
export const LONGEST_COPY_MS = 60_000;

/**
 * What each page says begins with its name in a comment, and a server plans it once a connection: planning costs these more
 * than running. Such a statement must read the same each time, and go by indexes whatever tables grow to.
 */
export const PREPARED = /^\s*\/\* (\w+) \*\//;
