import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { NOT_BOUND } from '../../src/domain/activities.ts';
import { refreshToken } from '../../src/activities/refresh-token.ts';
import { readToken } from '../../src/activities/stored-token.ts';
import { verifyConsent } from '../../src/activities/verify-consent.ts';
import { parseEncryptionKeys } from '../../src/crypto/encryption-keys.ts';
import { createSealer } from '../../src/crypto/sealer.ts';
import { createGraph } from '../../src/graph/graph.ts';
import { json, scriptedFetch, type Script } from '../graph/scripted-fetch.ts';
import { pgliteBackend, type Backend } from '../store/backend.ts';
import { boundTenant, newTenant } from '../store/rounds.ts';
import { FakeClock } from './slice-bench.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await pgliteBackend();
});
afterAll(() => backend.close());

const TOKEN = 'eyJhbGciOiJub25lIn0.e30.x';
const context = { signal: new AbortController().signal, heartbeat: () => undefined };
const granted = () => json({ token_type: 'Bearer', expires_in: 3599, access_token: TOKEN });
const isToken = (url: string) => url.includes('/oauth2/v2.0/token');

function depsOf(script: Script) {
  const { fetch, seen } = scriptedFetch(script);
  const logged: string[] = [];
  const write = (fields: object, message: string) => void logged.push(JSON.stringify({ ...fields, message }));
  return {
    seen,
    logged,
    store: backend.store,
    clock: new FakeClock(),
    log: { debug: write, info: write, warn: write, error: write },
    sealer: createSealer(parseEncryptionKeys(`k:${randomBytes(32).toString('base64')}`)),
    graph: createGraph({ clientId: 'app', credential: { kind: 'secret', secret: 's' }, cloud: 'global', fetch }),
  };
}

const refused = (status: number, code: number, headers: Record<string, string> = {}) =>
  json(
    {
      error: 'unauthorized_client',
      error_description: 'for alice@contoso.com',
      error_codes: [code],
      trace_id: 'trace-1',
    },
    status,
    headers,
  );

async function failureOf(promise: Promise<unknown>): Promise<ApplicationFailure> {
  const error: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof ApplicationFailure)) throw new Error('no ApplicationFailure', { cause: error });
  return error;
}

describe('refreshing a token', () => {
  it('stores it sealed to its tenant and returns when it ends and what it lacks', async () => {
    const deps = depsOf(granted);
    const { no } = await boundTenant(backend.store);
    const report = await refreshToken(deps, { tenantNo: no }, context);
    expect(Object.keys(report).sort()).toEqual(['expiresAt', 'missing']);
    expect(report.missing).toEqual(['User.Read.All', 'Group.Read.All']);
    const stored = await backend.store.tokens.get(no);
    expect(Buffer.from(stored?.sealed ?? []).toString('latin1')).not.toContain('eyJ');
    expect(await readToken(deps, no)).toEqual({ accessToken: TOKEN, expiresAt: report.expiresAt, throttledUntil: 0 });
  });

  it.each([
    [
      'ConsentMissing',
      () => refused(400, 700016),
      { nonRetryable: true, details: [{ aadsts: 700016, requestId: 'trace-1' }] },
    ],
    [
      'CredentialsRejected',
      () => refused(401, 7000215),
      { nonRetryable: true, details: [{ aadsts: 7000215, requestId: 'trace-1' }] },
    ],
    [
      'TokenEndpointUnavailable',
      () => refused(429, 90055, { 'retry-after': '17' }),
      { nonRetryable: false, nextRetryDelay: 17_000, category: ApplicationFailureCategory.BENIGN },
    ],
    ['TokenEndpointUnavailable', () => new Response('<html>', { status: 502 }), { nonRetryable: false, details: [{}] }],
  ] satisfies [string, Script, object][])('fails as %s', async (type, script, expected) => {
    const deps = depsOf(script);
    const { no } = await boundTenant(backend.store);
    const failure = await failureOf(refreshToken(deps, { tenantNo: no }, context));
    expect(failure).toMatchObject({ type, ...expected });
    expect(JSON.stringify([failure, failure.message, deps.logged])).not.toContain('alice');
    expect(await backend.store.tokens.get(no)).toBeUndefined();
  });

  it('asks nobody while no directory is bound', async () => {
    const deps = depsOf(granted);
    const created = await backend.store.tenants.create(newTenant('unbound'));
    const tenantNo = created === 'name_taken' ? 0 : created.tenant.no;
    for (const no of [tenantNo, 999_999]) {
      const failure = await failureOf(refreshToken(deps, { tenantNo: no }, context));
      expect(failure).toMatchObject({ type: NOT_BOUND, nonRetryable: true });
    }
    expect(deps.seen).toEqual([]);
  });
});

describe('verifying a consent', () => {
  const verifyWith = async (script: Script) => {
    const deps = depsOf((request) => (isToken(request.url) ? granted() : script(request)));
    const { no } = await boundTenant(backend.store);
    await refreshToken(deps, { tenantNo: no }, context);
    return verifyConsent(deps, { tenantNo: no }, context);
  };
  const denied = () => json({ error: { code: 'Authorization_RequestDenied' } }, 403, { 'request-id': 'req-9' });

  it('is not verified while Graph refuses, and says what was missing and where', async () => {
    expect(await verifyWith(denied)).toEqual({
      verified: false,
      missing: ['User.Read.All', 'Group.Read.All', 'Application.Read.All'],
      requestId: 'req-9',
    });
  });

  it('is verified by assignments and probes', async () => {
    const roles = ['df021288-bdef-4463-88db-98f22de89214', '5b567255-7703-4780-807c-7be8301ae99b'];
    const graph: Script = ({ url }) =>
      json({ id: 'sp', value: url.includes('appRoleAssignments') ? roles.map((appRoleId) => ({ appRoleId })) : [] });
    expect(await verifyWith(graph)).toEqual({ verified: true, missing: ['Application.Read.All'] });
  });

  it('is tried again by Temporal when Microsoft is busy or away', async () => {
    const busy = await failureOf(verifyWith(() => json({}, 429, { 'retry-after': '9' })));
    expect(busy).toMatchObject({ type: 'GraphThrottled', nextRetryDelay: 9_000, nonRetryable: false });
    const away = await failureOf(verifyWith(() => json({}, 503, { 'retry-after': '9' })));
    expect(away).toMatchObject({ type: 'GraphUnavailable', nextRetryDelay: 9_000, nonRetryable: false });
  });

  it('waits, asking nothing, where another worker was asked to wait', async () => {
    const deps = depsOf((request) => (isToken(request.url) ? granted() : json({ value: [] })));
    const { no } = await boundTenant(backend.store);
    await refreshToken(deps, { tenantNo: no }, context);
    const asked = deps.seen.length;
    await backend.store.sync.throttle(no, new Date(deps.clock.now() + 40_000));
    const failure = await failureOf(verifyConsent(deps, { tenantNo: no }, context));
    expect(failure).toMatchObject({ type: 'GraphThrottled', nextRetryDelay: 40_000 });
    expect(deps.seen).toHaveLength(asked);
  });

  it('is not verified without a token', async () => {
    const deps = depsOf(denied);
    const { no } = await boundTenant(backend.store);
    expect(await verifyConsent(deps, { tenantNo: no }, context)).toEqual({ verified: false, missing: [] });
  });
});
