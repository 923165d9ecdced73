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
export function storeSuite(name: string, open: () => Promise<Backend>): void {
  describe(`the store on ${name}`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await open();
    }, 60_000);
    afterAll(() => backend.close());
    scopeSuite(() => backend);
    tenantsSuite(() => backend);
    accessSuite(() => backend);
    mirrorSuite(() => backend);
    directorySuite(() => backend);
    feedSuite(() => backend);
    heldSuite(() => backend);
    rescopedSuite(() => backend);
    restoredSuite(() => backend);
    partialSuite(() => backend);
    reconcileSuite(() => backend);
    driftSuite(() => backend);
    erasureSuite(() => backend);
    crashesSuite(() => backend);
    historiesSuite(() => backend);
  });
}
