import { test } from '@jest/globals';
import { postgresBackend } from './backend.ts';
import { stoppedSuite } from './stopped.suite.ts';
import { storeSuite } from './store.suite.ts';

const databaseUrl = process.env['DATABASE_URL'];

if (databaseUrl) {
  storeSuite('PostgreSQL', () => postgresBackend(databaseUrl));
  stoppedSuite(databaseUrl, () => postgresBackend(databaseUrl));
} else test.skip('the store on PostgreSQL: left out, DATABASE_URL is not set', () => undefined);
