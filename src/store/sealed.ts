import { sql, type RawBuilder } from 'kysely';
import type { SealedPlace } from '../domain/sealed.ts';
import type { Database } from './schema.ts';
import type { SealedStore } from './face/sealed.ts';

/** Rows of one transaction: workers that want one of them wait so long. */
const BATCH_ROWS = 200;

interface Key {
  readonly column: RawBuilder<unknown>;
  readonly asText: RawBuilder<string>;
  /** '' comes before all. */
  readonly fromText: (text: string) => RawBuilder<unknown>;
}

const KEYS: Readonly<Record<SealedPlace, Key>> = {
  tenant_token: {
    column: sql`tenant_no`,
    asText: sql`tenant_no::text`,
    fromText: (text) => sql`${Number(text)}::int`,
  },
  consent_attempt: {
    column: sql`state_hash`,
    asText: sql`encode(state_hash, 'hex')`,
    fromText: (text) => sql`decode(${text}::text, 'hex')`,
  },
};

/** The id of the key stands in clear at the beginning: see `sealer.ts`. */
const keyId = sql<string>`convert_from(substring(sealed FROM 3 FOR get_byte(sealed, 1)), 'UTF8')`;

/** What is sealed, wherever it stands. */
export function createSealed(db: Database): SealedStore {
  return {
    async countByKey(place) {
      const { rows } = await sql<{ keyId: string; n: number }>`
        SELECT ${keyId} AS "keyId", count(*) AS n
        FROM ${sql.table(place)} WHERE sealed IS NOT NULL GROUP BY 1`.execute(db);
      return new Map(rows.map(({ keyId, n }) => [keyId, n]));
    },

    reseal: (place, under, after, change) =>
      db.transaction().execute(async (tx) => {
        const table = sql.table(place);
        const { column, asText, fromText } = KEYS[place];
        // Locked, so that what a worker renews meanwhile is either seen here or comes after.
        const { rows } = await sql<{ key: string; sealed: Uint8Array }>`
          SELECT ${asText} AS key, sealed FROM ${table}
          WHERE sealed IS NOT NULL AND ${column} > ${fromText(after)} AND ${keyId} <> ${under}::text
          ORDER BY ${column} LIMIT ${sql.lit(BATCH_ROWS)} FOR UPDATE`.execute(tx);
        let changed = 0;
        for (const row of rows) {
          const sealed = change(row.key, row.sealed);
          if (sealed === undefined) continue;
          await sql`UPDATE ${table} SET sealed = ${sealed}::bytea WHERE ${column} = ${fromText(row.key)}`.execute(tx);
          changed += 1;
        }
        return { changed, last: rows.at(-1)?.key };
      }),
  };
}
