import { Counter, Histogram, type Registry } from 'prom-client';
import { ApplicationFailure } from '@temporalio/common';
import type { GraphActivities, RefusalDetails } from './domain/activities.ts';
import type { Graph } from './graph/graph.ts';
import { aadstsEntry, graphEntry } from './domain/catalogue/catalogue.ts';

/** Counts what the Graph activities come to. Labels are outcomes: never a tenant, never a person. */
export function countGraphWork(graph: GraphActivities, registry: Registry): GraphActivities {
  const registers = [registry];
  const slices = new Counter({
    name: 'entra_sync_slices_total',
    help: 'Slices of rounds by outcome; failed ones are retried by Temporal',
    labelNames: ['outcome', 'kind'],
    registers,
  });
  const seconds = new Histogram({
    name: 'entra_sync_slice_duration_seconds',
    help: 'Time that a slice held its slot',
    buckets: [0.1, 0.5, 2, 5, 15, 30, 60, 90],
    registers,
  });
  const tokens = new Counter({
    name: 'entra_sync_token_requests_total',
    help: 'Requests for application tokens by result',
    labelNames: ['result'],
    registers,
  });
  const refusals = new Counter({
    name: 'entra_sync_microsoft_refusals_total',
    help: 'Refusals of Microsoft by its own code; known says whether docs/errors.md has it',
    labelNames: ['code', 'known'],
    registers,
  });
  const refused = ({ aadsts, graphCode }: RefusalDetails) => {
    if (aadsts !== undefined) {
      refusals.inc({ code: `AADSTS${aadsts}`, known: String(aadstsEntry(aadsts) !== undefined) });
    } else if (graphCode !== undefined) {
      refusals.inc({ code: graphCode, known: String(graphEntry(graphCode) !== undefined) });
    }
  };
  const keeping = new Counter({
    name: 'entra_sync_subscriptions_kept_total',
    help: 'How often change notification subscriptions were looked after, by result',
    labelNames: ['result'],
    registers,
  });
  return {
    async keepSubscriptions(input) {
      const outcome = await graph.keepSubscriptions(input);
      keeping.inc({ result: outcome.kept });
      return outcome;
    },
    verifyConsent: (input) => graph.verifyConsent(input),
    reconcileSlice: (input) => graph.reconcileSlice(input),
    async refreshToken(input) {
      try {
        const report = await graph.refreshToken(input);
        tokens.inc({ result: 'ok' });
        return report;
      } catch (error) {
        tokens.inc({ result: 'failed' });
        refused(detailsOf(error));
        throw error;
      }
    },
    async syncSlice(input) {
      const end = seconds.startTimer();
      let outcome = 'failed';
      try {
        const slice = await graph.syncSlice(input);
        ({ outcome } = slice);
        if (slice.outcome === 'forbidden') refused(slice);
        return slice;
      } catch (error) {
        refused(detailsOf(error));
        throw error;
      } finally {
        end();
        slices.inc({ outcome, kind: input.kind });
      }
    },
  };
}

function detailsOf(error: unknown): RefusalDetails {
  if (!(error instanceof ApplicationFailure)) return {};
  return error.details?.[0] ?? {};
}

/** Counts what Graph answered to requests for pages, and what they cost of Microsoft's limits. Labels are kinds of answers alone. */
export function countGraphAnswers(graph: Graph, registry: Registry): Graph {
  const registers = [registry];
  const answers = new Counter({
    name: 'entra_sync_graph_answers_total',
    help: 'Answers to requests for pages, by what they meant',
    labelNames: ['answer'],
    registers,
  });
  const units = new Counter({
    name: 'entra_sync_graph_resource_units_total',
    help: 'Resource units of pages, as far as Microsoft tells them',
    registers,
  });
  return {
    ...graph,
    async feedPage(request) {
      const got = await graph.feedPage(request);
      answers.inc({ answer: got.kind });
      if (got.kind === 'page') units.inc(got.load.units ?? 0);
      return got;
    },
  };
}
