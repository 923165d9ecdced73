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

/** Far more than any statement takes but those of migrations: one that waits longer waits for nothing that will come. */
export const LONGEST_STATEMENT_MS = 5 * 60_000;

/** A server may vanish without a word as well: what it has not said so long after it should have, it will not say. */
export const ANSWER_MARGIN_MS = 10_000;

/** @param longestMs of a statement; `Infinity` where it may take as long as it takes */
export const serverSession = (longestMs: number): string =>
  `${SESSION}; SET idle_in_transaction_session_timeout = ${LONGEST_SILENCE_MS}; SET statement_timeout = ${Number.isFinite(longestMs) ? longestMs : 0}`;

/**
 * What each page says begins with its name in a comment, and a server plans it once a connection: planning costs these more
 * than running. Such a statement must read the same each time, and go by indexes whatever tables grow to.
 */
export const PREPARED = /^\s*\/\* (\w+) \*\//;
