import { describe, expect, test } from '@jest/globals';
import { ConfigError, readConfig } from '../src/config.ts';

const COMPLETE = { ENTRA_CLIENT_ID: '6731de76-14a6-49ae-97bc-6eba6914391e', ENTRA_CLIENT_SECRET: 'a-secret' };

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('the environment', () => {
  test('needs nothing but the app registration on a loopback address', () => {
    const config = readConfig(COMPLETE);
    expect(config).toMatchObject({
      production: false,
      publicUrl: 'http://localhost:8080',
      syncIntervalMs: 300_000,
      port: 8080,
    });
    expect(config.temporal).toEqual({
      address: undefined,
      namespace: 'default',
      taskQueue: 'entra-sync',
      security: {},
    });
  });

  test('takes a notification address on loopback for trying out, and https alone otherwise', () => {
    expect(readConfig({ ...COMPLETE, NOTIFICATION_URL: 'https://n.example.com/base/' }).notificationUrl).toBe(
      'https://n.example.com/base',
    );
    expect(readConfig({ ...COMPLETE, NOTIFICATION_URL: 'http://localhost:8080' }).notificationUrl).toBeDefined();
    const fault = ['NOTIFICATION_URL must be https: Microsoft tells nothing to another address'];
    expect(faultsOf({ ...COMPLETE, NOTIFICATION_URL: 'http://n.example.com' })).toEqual(fault);
    const keys = { API_KEY: 'x'.repeat(16), ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString('base64')}` };
    const production = { ...COMPLETE, ...keys, NODE_ENV: 'production' };
    expect(faultsOf({ ...production, NOTIFICATION_URL: 'http://localhost:8080' })).toEqual(fault);
  });

  test('lists every fault at once, each with the variable and what to set', () => {
    const faults = faultsOf({ ENTRA_CLIENT_ID: 'x', SYNC_INTERVAL: '5x', PORT: 'a', GRAPH_BASE_URL: 'http://graph' });
    expect(faults.map((fault) => fault.replace(/ .*/, '')).sort()).toEqual(
      ['ENTRA_CLIENT_ID', 'GRAPH_BASE_URL', 'PORT', 'SYNC_INTERVAL', 'Set'].sort(),
    );
  });

  test.each([
    ['NODE_ENV', { NODE_ENV: 'production' }],
    ['PUBLIC_URL', { PUBLIC_URL: 'https://sync.example.com' }],
  ])('is production by %s, and then wants keys', (_name, env) => {
    expect(faultsOf({ ...COMPLETE, ...env })).toEqual([
      expect.stringMatching(/^API_KEY must be set in production/),
      expect.stringMatching(/^ENCRYPTION_KEYS must be set in production/),
    ]);
  });

  test('takes a short key for trying out, and not in production', () => {
    const env = { ...COMPLETE, API_KEY: 'k'.repeat(15), ENCRYPTION_KEYS: 'x' };
    expect(readConfig(env).apiKey).toBe('k'.repeat(15));
    expect(faultsOf({ ...env, NODE_ENV: 'production' })).toEqual([
      expect.stringMatching(/^API_KEY must be set in production: 16 random characters or more/),
    ]);
  });

  test('refuses a public URL that is neither loopback nor https', () => {
    expect(
      faultsOf({ ...COMPLETE, PUBLIC_URL: 'http://sync.example.com', API_KEY: 'k'.repeat(16), ENCRYPTION_KEYS: 'x' }),
    ).toEqual(['PUBLIC_URL must be https unless it is loopback']);
  });

  test('refuses two credentials, and an interval below a second', () => {
    expect(faultsOf({ ...COMPLETE, ENTRA_FEDERATED_TOKEN_FILE: '/x', SYNC_INTERVAL: '500ms' })).toHaveLength(2);
  });
});
