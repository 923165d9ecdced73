import { createHash } from 'node:crypto';
import { sql, type RawBuilder } from 'kysely';

/*
 * How pages are found to lead nowhere, with the same few values however many they are. A circle of links is found by one
 * that is remembered, a later one at each power of two of pages: whatever the circle's length, its links meet one of these
 * again. Links that go on and on are found by pages in a row that say nothing new, once there are far more of them than there
 * should be.
 */

const LONGER_THAN_FULL = 3;
/** What a first import is allowed, which has none before it to go by: Graph may send empty pages, though not so many in a row. */
const FIRST_IMPORT_PAGES = 1_000;
export const BARREN_PAGES = 200;

/** Whether a feed has far more pages by now than its last full round. */
export const isOverlong = (pages: RawBuilder<unknown>, fullPages: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`${pages} >= CASE ${fullPages} WHEN 0 THEN ${sql.lit(FIRST_IMPORT_PAGES)} ELSE ${sql.lit(LONGER_THAN_FULL)} * ${fullPages} END`;

/** Whether the link after `more` pages beyond so many is remembered: they reach or pass a power of two. */
export const isAnchored = (pages: RawBuilder<unknown>, more: number): RawBuilder<unknown> =>
  sql`${pages} # (${pages} + ${more}) > ${pages}`;

/** Of a link, which is not to stand in two places. */
export function hashOf(link: string | undefined): string | null {
  return link === undefined ? null : createHash('sha256').update(link).digest('base64');
}
