import { expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { Registry } from 'prom-client';
import type { GraphActivities, RefusalDetails } from '../src/domain/activities.ts';
import { countGraphWork } from '../src/worker-metrics.ts';

const unused = () => Promise.reject(new Error('not called here'));

/** Activities whose token is refused as `details` say, and whose slices Graph forbids with its own code. */
const refusing = (details: RefusalDetails, graphCode: string): GraphActivities => ({
  refreshToken: () => Promise.reject(ApplicationFailure.nonRetryable('refused', 'ConsentMissing', details)),
  syncSlice: async ({ kind }) => ({ outcome: 'forbidden', kind, graphCode }),
  verifyConsent: unused,
  reconcileSlice: unused,
  keepSubscriptions: unused,
});

test.each([
  ['AADSTS700016', { aadsts: 700_016 }, 'Authorization_RequestDenied', 'true'],
  ['AADSTS9999999', { aadsts: 9_999_999 }, 'Never_HeardOf', 'false'],
])("a refusal is counted by Microsoft's code, and whether it is known: %s", async (code, details, graphCode, known) => {
  const registry = new Registry();
  const work = countGraphWork(refusing(details, graphCode), registry);
  for (let n = 0; n < 2; n++) await expect(work.refreshToken({ tenantNo: 7 })).rejects.toThrow('refused');
  await work.syncSlice({ tenantNo: 7, roundId: 'round', kind: 'delta' });
  const counted = (await registry.getSingleMetric('entra_sync_microsoft_refusals_total')?.get())?.values;
  expect(counted).toEqual([
    { labels: { code, known }, value: 2 },
    { labels: { code: graphCode, known }, value: 1 },
  ]);
});
