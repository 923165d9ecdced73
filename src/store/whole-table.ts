import { sql } from 'kysely';
import type { Tx } from './schema.ts';

/**
 * Runs statements that look at all that a tenant has. Of a table that was filled a moment ago the planner believes that it
 * is almost empty, and compares each row of it with each of another; without that choice it builds a hash table, which is
 * right for few rows and for many.
 */
export async function onWholeTables<T>(tx: Tx, work: () => Promise<T>): Promise<T> {
  await sql`SELECT set_config('enable_nestloop', 'off', true)`.execute(tx);
  const result = await work();
  await sql`SELECT set_config('enable_nestloop', 'on', true)`.execute(tx);
  return result;
}
