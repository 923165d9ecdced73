import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Logger } from 'pino';
import { aadstsEntry, aadstsIn } from '../domain/catalogue/catalogue.ts';
import { DIFFERENCES, DRIFT_KINDS, type Drift, type DriftCount, sumOfDrift } from '../domain/reconcile.ts';
import type { Store } from '../store/store.ts';

export interface Metrics {
  readonly contentType: string;
  observe(request: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly seconds: number;
  }): void;
  /** Notifications of Microsoft's: what was `ignored` named no subscription of ours, or did not prove to be of it. */
  notified(result: 'accepted' | 'ignored', count: number): void;
  /** A consent or sign-in that Microsoft ended with an error. */
  endedByMicrosoft(code: string): void;
  render(): Promise<string>;
}

/** Prometheus metrics. Labels are states, methods and route templates: never a tenant, never a person. */
export function createMetrics(
  store: Pick<Store, 'tenants' | 'feed' | 'reconcile'>,
  registry: Registry,
  log: Logger,
): Metrics {
  const registers = [registry];

  const requests = new Histogram({
    name: 'entra_sync_http_request_duration_seconds',
    help: 'Time from request to the last byte of the answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 30, 120],
    registers,
  });
  const tenants = new Gauge({
    name: 'entra_sync_tenants',
    help: 'Tenants by state',
    labelNames: ['state'],
    registers,
  });
  const head = new Gauge({
    name: 'entra_sync_feed_position',
    help: 'Position of the newest event',
    registers,
  });
  const drift = new Gauge({
    name: 'entra_sync_drift',
    help: 'Differences of which delta query was silent, as the last reconcile of each tenant confirmed and corrected them',
    labelNames: ['kind', 'difference'],
    registers,
  });
  const notifications = new Counter({
    name: 'entra_sync_notifications_total',
    help: 'Change notifications by what became of them',
    labelNames: ['result'],
    registers,
  });
  const ended = new Counter({
    name: 'entra_sync_consents_ended_by_microsoft_total',
    help: 'Consents that Microsoft ended with an error, by its code; one that docs/errors.md does not have is unknown',
    labelNames: ['code'],
    registers,
  });
  const failures = new Counter({
    name: 'entra_sync_metrics_database_failures_total',
    help: 'How often the database could not be asked for these metrics',
    registers,
  });

  async function askDatabase(): Promise<void> {
    // Gone rather than old: a gauge that stands still looks like a system that stands still.
    tenants.reset();
    head.reset();
    drift.reset();
    try {
      const [states, cursor, drifts] = await Promise.all([
        store.tenants.countByState(),
        store.feed.head(),
        store.reconcile.driftOfAll(),
      ]);
      for (const { kind, difference, count } of eachOf(sumOfDrift(drifts))) drift.set({ kind, difference }, count);
      for (const [state, count] of Object.entries(states)) tenants.set({ state }, count);
      head.set(Number(cursor.slice(cursor.indexOf('-') + 1)));
    } catch (error) {
      failures.inc();
      log.warn({ err: error }, 'The database could not be asked for metrics');
    }
  }

  return {
    contentType: registry.contentType,
    observe: ({ method, route, status, seconds }) =>
      requests.observe({ method, route, status: String(status) }, seconds),
    notified: (result, count) => notifications.inc({ result }, count),
    endedByMicrosoft(code) {
      const number = aadstsIn(code);
      // What comes by a browser may be anything: only what the catalogue knows becomes a label.
      ended.inc({ code: number !== undefined && aadstsEntry(number) ? code : 'unknown' });
    },
    async render() {
      await askDatabase();
      return registry.metrics();
    },
  };
}

/** Of what never happened, too: an alarm needs the zero before the one. A membership has nothing that could differ. */
const eachOf = (drift: Drift): readonly DriftCount[] =>
  DRIFT_KINDS.flatMap((kind) =>
    DIFFERENCES.filter((difference) => kind !== 'membership' || difference !== 'different').map((difference) => ({
      kind,
      difference,
      count: drift[kind][difference],
    })),
  );
