import { afterAll, beforeAll, describe } from '@jest/globals';
import { accessSuite } from './access.suite.ts';
import type { Backend } from './backend.ts';
import { crashesSuite } from './crashes.suite.ts';
import { directorySuite } from './directory.suite.ts';
import { driftSuite } from './drift.suite.ts';
import { erasureSuite } from './erasure.suite.ts';
import { feedSuite } from './feed.suite.ts';
import { heldSuite } from './held.suite.ts';
import { historiesSuite } from './histories.suite.ts';
import { mirrorSuite } from './mirror.suite.ts';
import { partialSuite } from './partial.suite.ts';
import { reconcileSuite } from './reconcile.suite.ts';
import { rescopedSuite } from './rescoped.suite.ts';
import { restoredSuite } from './restored.suite.ts';
import { scopeSuite } from './scope.suite.ts';
import { tenantsSuite } from './tenants.suite.ts';

/** Everything that a store must do, on whatever database. */
const SUITES: Readonly<Record<string, (backend: () => Backend) => void>> = {
  'with a scope': scopeSuite,
  tenants: tenantsSuite,
  'who has access': accessSuite,
  'the mirror': mirrorSuite,
  'what can be read': directorySuite,
  events: feedSuite,
  'too much at once': heldSuite,
  'too much at once, with a scope': rescopedSuite,
  'who is back': restoredSuite,
  'what is told in part': partialSuite,
  'the reconcile': reconcileSuite,
  drift: driftSuite,
  erasure: erasureSuite,
  crashes: crashesSuite,
  histories: historiesSuite,
};

export function storeSuite(name: string, open: () => Promise<Backend>): void {
  describe(`the store on ${name}`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await open();
    }, 60_000);
    afterAll(() => backend.close());
    // Each by itself: what one prepares for its tests is none of the others'.
    for (const [what, suite] of Object.entries(SUITES)) describe(what, () => suite(() => backend));
  });
}
