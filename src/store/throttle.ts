import { sql } from 'kysely';
import type { Database } from './schema.ts';
import type { SyncStore } from './face/sync.ts';

/** Stands for all tenants, where the application's own limit was exceeded. */
export const WHOLE_APPLICATION = 0;

export function createThrottle(db: Database): Pick<SyncStore, 'throttle' | 'throttled'> {
  return {
    async throttle(scope, until) {
      await sql`
        INSERT INTO throttle AS h (tenant_no, until)
        VALUES (${scope === 'application' ? WHOLE_APPLICATION : scope}, ${until}::timestamptz)
        ON CONFLICT (tenant_no) DO UPDATE SET until = greatest(h.until, excluded.until)`.execute(db);
    },

    async throttled(tenantNo) {
      const { rows } = await sql<{ tenant_no: number; until: string }>`
        SELECT tenant_no, until FROM throttle WHERE tenant_no IN (${WHOLE_APPLICATION}, ${tenantNo}) AND until > now()
        ORDER BY until DESC LIMIT 1`.execute(db);
      const [longest] = rows;
      if (!longest) return undefined;
      const limitOf = longest.tenant_no === WHOLE_APPLICATION ? 'application' : 'tenant';
      return { limitOf, until: new Date(longest.until) };
    },
  };
}
