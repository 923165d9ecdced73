import { pgliteBackend } from './backend.ts';
import { storeSuite } from './store.suite.ts';

storeSuite('PGlite', pgliteBackend);
