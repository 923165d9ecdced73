import { exec } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pingTemporal, waitForTemporal } from '../../src/temporal/connection.ts';
import { freePort } from '../../demo/launch.ts';
import {
  ensureSearchAttributes,
  SEARCH_ATTRIBUTE_NAMES,
  searchAttributeCommand,
} from '../../src/temporal/search-attributes.ts';
import { readTemporalSecurity } from '../../src/temporal/settings.ts';
import { recordingLog } from './recording-log.ts';

const address = process.env['TEST_TEMPORAL_ADDRESS'] ?? '';

const TEMPORAL = process.env['TEST_TEMPORAL_CLI'] ?? '';

let connection: Connection;
beforeAll(async () => {
  connection = await Connection.connect({ address });
});
afterAll(() => connection.close());

async function makeNamespace(): Promise<string> {
  const namespace = `test-${randomUUID()}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const found = await waitForTemporal({ address, namespace }, { log: recordingLog() });
  await found.close();
  return namespace;
}

test('registers the search attributes that a namespace lacks, once', async () => {
  const namespace = await makeNamespace();
  const log = recordingLog();
  await ensureSearchAttributes(connection, { address, namespace }, { log });
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  for (const name of SEARCH_ATTRIBUTE_NAMES) expect(customAttributes[name]).toBe(2);
  expect(log.lines).toHaveLength(1);
  await ensureSearchAttributes(connection, { address, namespace }, { log });
  expect(log.lines).toHaveLength(1);
}, 240_000);

test('prints a command that works, and waits for it, where registering is forbidden', async () => {
  const namespace = await makeNamespace();
  const refused = Object.assign(new Error('7 PERMISSION_DENIED: Request unauthorized.'), { code: 7 });
  const operatorService = { addSearchAttributes: () => Promise.reject(refused) };
  const guest = Object.create(connection, { operatorService: { value: operatorService } }) as Connection;
  const log = recordingLog();
  let settled = false;
  const done = ensureSearchAttributes(guest, { address, namespace }, { log }).then(() => (settled = true));
  while (log.lines.length === 0) await sleep(50);
  expect(log.lines[0]).toContain(searchAttributeCommand({ address, namespace }));
  expect(settled).toBe(false);
  await promisify(exec)(searchAttributeCommand({ address, namespace }).replace(/^temporal/, TEMPORAL));
  await done;
  expect(settled).toBe(true);
}, 240_000);

test('keeps trying while Temporal is down, names the address, and stops when told to', async () => {
  const nobody = `127.0.0.1:${await freePort()}`;
  const stop = new AbortController();
  const log = recordingLog();
  const waiting = waitForTemporal({ address: nobody, namespace: 'default' }, { log, signal: stop.signal });
  const outcome = waiting.catch((error: unknown) => error);
  while (log.lines.length < 2) await sleep(50);
  stop.abort(new Error('stopped'));
  expect(await outcome).toMatchObject({ message: 'stopped' });
  expect(log.lines[0]).toContain(`Temporal at ${nobody} cannot be used`);
  expect(log.lines[1]).toMatch(/Trying again in 2 s/);
}, 240_000);

test('waits for a namespace that is missing, with the command that makes it', async () => {
  const stop = new AbortController();
  const log = recordingLog();
  const waiting = waitForTemporal({ address, namespace: 'not-made' }, { log, signal: stop.signal });
  const outcome = waiting.catch((error: unknown) => error);
  while (log.lines.length === 0) await sleep(50);
  stop.abort();
  await outcome;
  expect(log.lines[0]).toContain(`temporal operator namespace create --address ${address} --namespace not-made`);
}, 240_000);

test('tells whether Temporal answers now', async () => {
  await expect(pingTemporal(connection, 'default')).resolves.toBeUndefined();
  await expect(pingTemporal(connection, 'not-made')).rejects.toThrow();
});

test('reads key and TLS by the names that Temporal documents', () => {
  const faults: string[] = [];
  expect(readTemporalSecurity({ TEMPORAL_ADDRESS: 'a:1' }, faults)).toEqual({});
  expect(readTemporalSecurity({ TEMPORAL_API_KEY: 'key' }, faults)).toEqual({ apiKey: 'key', tls: true });
  expect(readTemporalSecurity({ TEMPORAL_API_KEY: 'key', TEMPORAL_TLS: 'false' }, faults)).toEqual({
    apiKey: 'key',
    tls: false,
  });
  expect(readTemporalSecurity({ TEMPORAL_TLS: 'true', TEMPORAL_TLS_SERVER_NAME: 'temporal' }, faults)).toMatchObject({
    tls: { serverNameOverride: 'temporal' },
  });
  expect(readTemporalSecurity({ TEMPORAL_TLS: '', TEMPORAL_API_KEY: '' }, faults)).toEqual({});
  expect(faults).toEqual([]);
});

test('lists what is wrong with key and TLS, with what to set', () => {
  const faults: string[] = [];
  readTemporalSecurity(
    { TEMPORAL_TLS_CLIENT_CERT_PATH: '/no/such.pem', TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: 'true' },
    faults,
  );
  expect(faults.join('\n')).toMatch(/TEMPORAL_TLS_CLIENT_KEY_PATH.*must be set together/);
  expect(faults.join('\n')).toMatch(/TEMPORAL_TLS_DISABLE_HOST_VERIFICATION is not supported/);
  expect(faults.join('\n')).toMatch(/cannot be read: .*no such/i);
});
