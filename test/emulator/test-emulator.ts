import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmulator, type EmulatorOptions } from '../../emulator/emulator.ts';

export const CLIENT_ID = '6731de76-14a6-49ae-97bc-6eba6914391e';
export const CLIENT_SECRET = 'emulator~secret-for-local-use-only';
export const REDIRECT_URI = 'http://localhost:8080/consent/callback';
export const SIGNIN_REDIRECT_URI = 'http://localhost:8080/signin/callback';

export type JsonObject = Record<string, unknown>;

export interface TestTenant {
  readonly id: string;
  readonly domain: string;
  readonly accounts: readonly { readonly id: string; readonly userPrincipalName: string; readonly part: string }[];
}

export interface GraphPage extends JsonObject {
  readonly value: JsonObject[];
}

/** Starts an emulator without tenants and speaks to it by URL alone, as its users do. */
export async function startTestEmulator(options: EmulatorOptions = {}): Promise<TestEmulator> {
  const dataDir = await mkdtemp(join(tmpdir(), 'emulator-'));
  const emulator = await startEmulator({ dataDir, ...options });
  return new TestEmulator(emulator, async () => {
    await emulator.close();
    await rm(dataDir, { recursive: true, force: true });
  });
}

export class TestEmulator {
  readonly url: string;
  readonly httpsUrl: string;
  readonly caFile: string;
  readonly close: () => Promise<void>;

  constructor(emulator: Awaited<ReturnType<typeof startEmulator>>, close: () => Promise<void>) {
    this.url = emulator.httpUrl;
    this.httpsUrl = emulator.httpsUrl;
    this.caFile = emulator.caFile;
    this.close = close;
  }

  /** A call of the control API; fails loudly unless it succeeds. */
  async control(method: string, path: string, body?: unknown): Promise<JsonObject> {
    const response = await fetch(`${this.url}/_emulator/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as JsonObject;
  }

  async createTenant(spec: JsonObject = {}): Promise<TestTenant> {
    const made = await this.control('POST', 'tenants', { domain: 'contoso.com', users: 30, groups: 8, ...spec });
    return made as unknown as TestTenant;
  }

  /** A tenant whose administrator has consented already. */
  async createConsentedTenant(spec: JsonObject = {}, permissions?: readonly string[]): Promise<TestTenant> {
    const tenant = await this.createTenant(spec);
    await this.control('POST', `tenants/${tenant.id}/app/consent`, permissions === undefined ? {} : { permissions });
    return tenant;
  }

  /** Posts to the token endpoint. */
  async requestToken(
    tenant: string,
    form: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const body = new URLSearchParams({
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      grant_type: 'client_credentials',
      scope: 'https://graph.microsoft.com/.default',
      ...form,
    });
    return fetch(`${this.url}/${tenant}/oauth2/v2.0/token`, { method: 'POST', body, headers });
  }

  async graphToken(tenant: string): Promise<string> {
    const response = await this.requestToken(tenant);
    const body = (await response.json()) as JsonObject;
    if (typeof body['access_token'] !== 'string') throw new Error(JSON.stringify(body));
    return body['access_token'];
  }

  /** A Graph client for one tenant, with a fresh token. */
  async graph(tenant: string): Promise<TestGraph> {
    return new TestGraph(this.url, await this.graphToken(tenant));
  }
}

export class TestGraph {
  readonly #url: string;
  readonly token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.token = token;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    const url = path.startsWith('http') ? path : `${this.#url}/v1.0${path}`;
    return fetch(url, { headers: { Authorization: `Bearer ${this.token}`, ...headers } });
  }

  async json(path: string, headers: Record<string, string> = {}): Promise<JsonObject> {
    const response = await this.get(path, headers);
    const body = (await response.json()) as JsonObject;
    if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(body)}`);
    return body;
  }

  async page(path: string, headers: Record<string, string> = {}): Promise<GraphPage> {
    return (await this.json(path, headers)) as GraphPage;
  }

  /** The status and the error of a request that is refused. */
  async refusal(
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; code: string; message: string }> {
    const response = await this.get(path, headers);
    const body = (await response.json()) as { error: { code: string; message: string } };
    return { status: response.status, code: body.error.code, message: body.error.message };
  }

  /** All objects of a list, page after page. */
  async all(path: string): Promise<JsonObject[]> {
    const objects: JsonObject[] = [];
    for (let next: string | undefined = path; next !== undefined;) {
      const page: GraphPage = await this.page(next);
      objects.push(...page.value);
      next = page['@odata.nextLink'] as string | undefined;
    }
    return objects;
  }

  /** Follows a delta round to its end. */
  async round(
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ pages: GraphPage[]; objects: JsonObject[]; deltaLink: string }> {
    const pages: GraphPage[] = [];
    for (let next = path; ;) {
      const page = await this.page(next, headers);
      pages.push(page);
      const deltaLink = page['@odata.deltaLink'];
      if (typeof deltaLink === 'string') return { pages, objects: pages.flatMap((each) => each.value), deltaLink };
      next = String(page['@odata.nextLink']);
    }
  }
}

/** The claims of a token, unverified. */
export function claimsOf(token: string): JsonObject {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as JsonObject;
}

/** Reads a page's first form and posts it, as a browser would. */
export async function submitForm(url: string, fields: Record<string, string>): Promise<Response> {
  const page = await fetch(url, { redirect: 'manual' });
  const markup = await page.text();
  const action = /<form[^>]*action="([^"]*)"/s.exec(markup)?.[1];
  if (action === undefined) throw new Error(`no form on ${url}: ${markup}`);
  const target = new URL(action.replaceAll('&amp;', '&'), url);
  return fetch(target, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' });
}
