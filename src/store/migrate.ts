import { readdir, readFile } from 'node:fs/promises';
import { type Migration, Migrator, sql } from 'kysely';
import type { Database } from './schema.ts';

/** Copied beside the compiled file by the build, so that both find it here. */
const MIGRATIONS = new URL('./migrations/', import.meta.url);

/** Brings the tables up to date under the migrator's own lock. Throws, naming the file, where one fails: nothing may run then. */
export async function migrateToLatest(db: Database): Promise<readonly string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: readMigrations } });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const failed = results.find((result) => result.status === 'Error');
    const file = failed ? `${failed.migrationName}.sql` : 'the list of migrations';
    throw new Error(`The database could not be migrated: ${file}: ${messageOf(error)}`, { cause: error });
  }
  return results.map((result) => result.migrationName);
}

async function readMigrations(): Promise<Record<string, Migration>> {
  const files = (await readdir(MIGRATIONS)).filter((file) => file.endsWith('.sql'));
  const migrations = await Promise.all(
    files.map(async (file): Promise<[string, Migration]> => {
      const text = await readFile(new URL(file, MIGRATIONS), 'utf8');
      return [file.replace(/\.sql$/, ''), { up: async (db) => void (await sql.raw(text).execute(db)) }];
    }),
  );
  return Object.fromEntries(migrations);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
