import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { generate } from 'selfsigned';
import { showCredentials } from '../../src/credential-metrics.ts';
import { credentialFindings, egressFindings, inOrder, tenantFindings } from '../../src/domain/doctor.ts';
import { lookAtCredential } from '../../src/graph/credential.ts';
import { createGraph } from '../../src/graph/graph.ts';
import { proxyFor } from '../../src/graph/outbound.ts';
import { json, scriptedFetch } from './scripted-fetch.ts';

const DAY_MS = 86_400_000;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doctor-'));
});
afterAll(() => rm(folder, { recursive: true }));

const fileOf = async (name: string, text: string) => {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
};
const levels = async (...facts: Awaited<ReturnType<typeof lookAtCredential>>[]) =>
  credentialFindings(facts, Date.now()).map(({ code, level }) => `${code} ${level}`);

describe('a credential', () => {
  it('that is a certificate tells when it ends, and warns a month before', async () => {
    const facts = async (days: number) => {
      const notAfterDate = new Date(Date.now() + days * DAY_MS);
      const notBeforeDate = new Date(Date.now() - 30 * DAY_MS);
      const pem = await generate([{ name: 'commonName', value: 'app' }], { notBeforeDate, notAfterDate });
      const file = await fileOf(`${days}.pem`, `${pem.cert}\n${pem.private}`);
      return lookAtCredential({ kind: 'certificate', file }, false);
    };
    expect(await levels(await facts(-1), await facts(12), await facts(400))).toEqual([
      'credential_expired error',
      'credential_expires warning',
      'credential ok',
    ]);
    const [soon] = credentialFindings([await facts(12)], Date.now());
    expect(soon).toMatchObject({
      title: expect.stringMatching(/ENTRA_CLIENT_CERTIFICATE_FILE ends in 1[12] days/),
      evidence: { expiresAt: expect.any(String) },
    });
  });

  it('shows its end to whoever watches the metrics, and a secret shows none', async () => {
    const expiresAt = Date.now() + DAY_MS;
    const registry = new Registry();
    const facts = [
      { kind: 'certificate', variable: 'ENTRA_CLIENT_CERTIFICATE_FILE', expiresAt },
      { kind: 'secret', variable: 'ENTRA_CLIENT_SECRET_NEXT' },
    ] as const;
    showCredentials({ lookAtCredentials: async () => facts }, registry);
    const text = await registry.metrics();
    expect(text).toContain(`_seconds{variable="ENTRA_CLIENT_CERTIFICATE_FILE"} ${expiresAt / 1000}`);
    expect(text).not.toContain('_NEXT');
  });

  it('that cannot be used is told, and nothing of it quoted', async () => {
    const [one, other] = await Promise.all([1, 2].map(() => generate([{ name: 'commonName', value: 'app' }])));
    const mixed = await fileOf('mixed.pem', `${one?.cert}\n${other?.private}`);
    for (const file of [mixed, join(folder, 'nowhere.pem'), await fileOf('text.pem', 'canary')]) {
      const [finding] = credentialFindings([await lookAtCredential({ kind: 'certificate', file }, true)], Date.now());
      expect(finding).toMatchObject({ code: 'credential_unusable', level: 'error' });
      expect(finding?.evidence).toMatchObject({ variable: 'ENTRA_CLIENT_CERTIFICATE_FILE_NEXT' });
      expect(JSON.stringify(finding)).not.toContain('canary');
    }
  });

  it('that is a secret says nothing of its end, and is doubted where it looks like its id', async () => {
    const secret = (text: string) => lookAtCredential({ kind: 'secret', secret: text }, false);
    expect(await levels(await secret('abc~8Q'), await secret('6731de76-14a6-49ae-97bc-6eba6914391e'))).toEqual([
      'credential ok',
      'credential_is_id warning',
    ]);
  });

  it("that is a platform's token is expired only where its time is over", async () => {
    const token = async (exp: number) => {
      const claims = Buffer.from(JSON.stringify({ exp: Math.round(exp / 1000) })).toString('base64url');
      return lookAtCredential({ kind: 'federated', file: await fileOf(`${exp}.jwt`, `h.${claims}.s`) }, false);
    };
    expect(await levels(await token(Date.now() + 3_600_000), await token(Date.now() - DAY_MS))).toEqual([
      'credential ok',
      'credential_expired error',
    ]);
  });
});

describe('two credentials', () => {
  const refusal = (code: number) => json({ error: 'invalid_client', error_codes: [code], trace_id: `t-${code}` }, 401);
  const graphOf = (answers: Readonly<Record<string, () => Response>>) => {
    const { fetch, seen } = scriptedFetch(({ body }) => {
      const secret = new URLSearchParams(body).get('client_secret') ?? '';
      return (answers[secret] ?? (() => refusal(7_000_215)))();
    });
    const credential = { kind: 'secret', secret: 'first' } as const;
    const nextCredential = { kind: 'secret', secret: 'second' } as const;
    return { graph: createGraph({ clientId: 'app', cloud: 'global', credential, nextCredential, fetch }), seen };
  };
  const granted = () => json({ token_type: 'Bearer', expires_in: 3599, access_token: 'opaque' });

  it('are both tried where the first is refused, and the second is told of', async () => {
    const { graph, seen } = graphOf({ first: () => refusal(7_000_222), second: granted });
    expect(await graph.tokenFor('tenant')).toMatchObject({ kind: 'token', secondCredential: true });
    expect(seen).toHaveLength(2);
  });

  it('are not both tried for anything else', async () => {
    const { graph, seen } = graphOf({ first: () => refusal(7_000_229) });
    expect(await graph.tokenFor('tenant')).toMatchObject({ kind: 'refused', failure: 'ConsentMissing' });
    const well = graphOf({ first: granted });
    expect(await well.graph.tokenFor('tenant')).not.toHaveProperty('secondCredential');
    expect([seen.length, well.seen.length]).toEqual([1, 1]);
  });

  it('that are both refused leave the word about the first', async () => {
    const { graph } = graphOf({ first: () => refusal(7_000_222) });
    expect(await graph.tokenFor('tenant')).toMatchObject({ aadsts: 7_000_222, requestId: 't-7000222' });
  });
});

describe('an application that is switched off', () => {
  it.each([
    ['global', 'entra.microsoft.com'],
    ['usgov', 'portal.azure.us'],
    ['usgovdod', 'portal.azure.us'],
    ['china', 'portal.azure.cn'],
  ] as const)('is switched on in the portal of its cloud: %s', async (cloud, host) => {
    const principal = { id: 'p1', appId: 'app', accountEnabled: false, appRoleAssignmentRequired: false };
    const { fetch } = scriptedFetch(({ url }) =>
      url.includes('/token')
        ? json({ token_type: 'Bearer', expires_in: 3599, access_token: 'opaque' })
        : json(url.includes('/servicePrincipals(') ? principal : { value: [] }),
    );
    const graph = createGraph({ clientId: 'app', cloud, credential: { kind: 'secret', secret: 's' }, fetch });
    const findings = tenantFindings(await graph.inspect('00000000-0000-0000-0000-000000000001'), []);
    const off = findings.find(({ code }) => code === 'application_disabled');
    expect(new URL(off?.link ?? '').host).toBe(host);
  });
});

describe('the way out', () => {
  const url = new URL('https://graph.microsoft.com');
  it.each([
    [{}, undefined],
    [{ HTTPS_PROXY: 'http://proxy:3128' }, 'proxy:3128'],
    [{ https_proxy: 'http://proxy:3128', NO_PROXY: 'localhost, .internal' }, 'proxy:3128'],
    [{ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'microsoft.com' }, undefined],
    [{ HTTPS_PROXY: 'http://proxy:3128', no_proxy: '*.microsoft.com:443' }, undefined],
    [{ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'graph.microsoft.com:8443,soft.com' }, 'proxy:3128'],
    [{ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '*' }, undefined],
    [{ HTTPS_PROXY: 'no url' }, undefined],
    [{ HTTP_PROXY: 'http://proxy:3128' }, undefined],
  ])('is as the environment says: %j', (env, host) => {
    expect(proxyFor(url, env)?.host).toBe(host);
  });

  it('is told with who opens TLS on it, and how far the clocks differ', () => {
    const host = { host: 'graph.microsoft.com', proxy: null, issuer: 'Corp, Firewall' };
    const told = (skewMs: number, intercepted?: true) =>
      inOrder(egressFindings([{ ...host, skewMs, ...(intercepted && { intercepted }) }])).map(
        ({ code, level }) => `${code} ${level}`,
      );
    expect(told(900)).toEqual(['egress ok', 'clock ok']);
    expect(told(-70_000)).toEqual(['clock warning', 'egress ok']);
    expect(told(400_000)).toEqual(['clock error', 'egress ok']);
    expect(told(0, true)).toEqual(['egress_intercepted warning', 'clock ok']);
    const [opened] = egressFindings([{ ...host, intercepted: true }]);
    expect(opened?.title).toContain('Corp, Firewall');
  });
});
