import { afterAll, beforeAll, describe } from '@jest/globals';
import type { Backend } from './backend.ts';
import { mirrorSuite } from './mirror.suite.ts';

/** Everything that a store must do, on whatever database. */
export function storeSuite(name: string, open: () => Promise<Backend>): void {
  describe(`the store on ${name}`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await open();
    }, 60_000);
    afterAll(() => backend.close());
    mirrorSuite(() => backend);
  });
}
