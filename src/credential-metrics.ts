import { Gauge, type Registry } from 'prom-client';
import type { Graph } from './graph/graph.ts';

/** When each of our own credentials ends, for an alarm before it does. Of a client secret only Microsoft knows. */
export function showCredentials(graph: Pick<Graph, 'lookAtCredentials'>, registry: Registry): void {
  const expiry = new Gauge({
    name: 'entra_sync_credential_expiry_timestamp_seconds',
    help: "End of the application's certificate or platform token, in seconds since 1970",
    labelNames: ['variable'],
    registers: [registry],
    async collect() {
      expiry.reset();
      for (const { variable, expiresAt } of await graph.lookAtCredentials()) {
        if (expiresAt !== undefined) expiry.set({ variable }, expiresAt / 1000);
      }
    },
  });
}
