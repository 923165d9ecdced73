import { sql, type RawBuilder } from 'kysely';
import { type DriftCount, sumOfDrift } from '../domain/reconcile.ts';
import { jsonText } from './json-text.ts';
import type { Database, Tx } from './schema.ts';
import type { ReconcileStatus } from './face/reconcile.ts';

/** Adds to what the last reconcile of a tenant came to. */
export async function addDrift(tx: Tx, tenantNo: number, counts: readonly DriftCount[]): Promise<void> {
  if (counts.length === 0) return;
  await sql`
    INSERT INTO drift AS d (tenant_no, kind, difference, count)
    SELECT ${tenantNo}::int, i.kind, i.difference, sum(i.count)
    FROM jsonb_to_recordset(${jsonText(counts)}::jsonb) AS i(kind text, difference text, count bigint)
    GROUP BY i.kind, i.difference HAVING sum(i.count) > 0
    ON CONFLICT (tenant_no, kind, difference) DO UPDATE SET count = d.count + excluded.count`.execute(tx);
}

/** Over all tenants that there are. */
export async function driftOfAll(db: Database): Promise<readonly DriftCount[]> {
  const { rows } = await sql<DriftCount>`
    SELECT d.kind, d.difference, sum(d.count)::bigint AS count FROM drift d GROUP BY d.kind, d.difference`.execute(db);
  return rows;
}

/** A tenant's last reconcile, or the running one, as JSON; null before there is one. */
export function reconcileColumn(tenantNo: RawBuilder<unknown>): RawBuilder<ReconcileJson | null> {
  return sql<ReconcileJson | null>`(
    SELECT jsonb_build_object('comparing', k.comparing, 'startedAt', k.started_at, 'completedAt', k.completed_at,
      'dueAt', k.due_at, 'compared', k.compared, 'suspected', k.suspected,
      'waiting', (SELECT count(*) FROM suspect s WHERE s.tenant_no = k.tenant_no),
      'drift', (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', d.kind, 'difference', d.difference, 'count', d.count)), '[]')
        FROM drift d WHERE d.tenant_no = k.tenant_no))
    FROM reconcile k WHERE k.tenant_no = ${tenantNo})`;
}

type ReconcileJson = Omit<ReconcileStatus, 'drift' | 'driftByKind'> & { readonly drift: readonly DriftCount[] };

export function reconcileFromJson({ drift, ...row }: ReconcileJson): ReconcileStatus {
  return {
    ...row,
    startedAt: row.startedAt && iso(row.startedAt),
    completedAt: row.completedAt && iso(row.completedAt),
    dueAt: iso(row.dueAt),
    drift: drift.reduce((sum, { count }) => sum + count, 0),
    driftByKind: sumOfDrift(drift),
  };
}

const iso = (time: string): string => new Date(time).toISOString();
