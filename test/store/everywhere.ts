import { sql } from 'kysely';
import type { Database } from '../../src/store/schema.ts';

/** Names of the tables of which some row, as text, holds this; bytes are looked through as text, too. */
export async function tablesWith(db: Database, text: string): Promise<readonly string[]> {
  const { rows: tables } = await sql<{ name: string }>`
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY table_name`.execute(db);
  const pattern = `%${text.toLowerCase()}%`;
  const hex = `%${Buffer.from(text).toString('hex')}%`;
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await sql`
      SELECT 1 FROM ${sql.table(name)} t
      WHERE lower(t::text) LIKE ${pattern} OR lower(to_jsonb(t)::text) LIKE ${pattern} OR lower(t::text) LIKE ${hex} LIMIT 1`.execute(
      db,
    );
    if (rows.length > 0) found.push(name);
  }
  return found;
}
