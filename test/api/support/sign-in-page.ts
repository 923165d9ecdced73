import { randomUUID } from 'node:crypto';
import type { ApiUnderTest, Answer } from './api-under-test.ts';
import { Visitor } from './browser.ts';
import { group, idOf, round, tenantRow, user } from './seed.ts';

export const RETURN_TO = 'https://app.example.com/signed-in?from=work';

export interface Company {
  readonly id: string;
  readonly directory: string;
}

/** A tenant with people 1 (in group 11, which is in 12), 2 (disabled) and 3 (a guest), and nobody else. */
export async function company(
  api: ApiUnderTest,
  change: { readonly signIn?: object; readonly directory?: string; readonly synced?: boolean } = {},
): Promise<Company> {
  const body = {
    signIn: { returnUrls: [RETURN_TO], ...change.signIn },
    sharedDirectory: true,
    name: 'Contoso & Söhne',
  };
  const { body: tenant } = await api.call('POST', '/v1/tenants', { body });
  const directory = change.directory ?? randomUUID();
  await api.store.consents.bind((await tenantRow(api.store, tenant.id)).no, directory);
  if (change.synced !== false) {
    const people = [user(1), user(2, { accountEnabled: false }), user(3, { userType: 'Guest' })];
    await round(api.store, tenant.id, people, [group(11, [[1, 'user']]), group(12, [[11, 'group']])]);
  }
  return { id: tenant.id, directory };
}

/** A browser on its way in. */
export class Person extends Visitor {
  readonly #api: ApiUnderTest;

  constructor(api: ApiUnderTest) {
    super(api);
    this.#api = api;
  }

  begin(id: string, query: Record<string, string> = {}): Promise<Answer> {
    const search = new URLSearchParams({ return_to: RETURN_TO, state: 'of-the-product', ...query });
    return this.open(`/signin/${id}?${search.toString()}`);
  }

  /** Sent to Microsoft; the state of the request. */
  async sent(id: string, query: Record<string, string> = {}): Promise<string> {
    const answer = await this.begin(id, query);
    if (answer.status !== 302) throw new Error(`Not sent to Microsoft: ${answer.status} ${answer.text}`);
    return new URL(answer.headers.get('location') ?? 'none:').searchParams.get('state') ?? '';
  }

  back(query: Record<string, string>): Promise<Answer> {
    return this.open(`/signin/callback?${String(new URLSearchParams(query))}`);
  }

  /** All the way to Microsoft and back, as this person of the directory. */
  async signIn({ id, directory }: Company, n = 1, query: Record<string, string> = {}): Promise<Answer> {
    const state = await this.sent(id, query);
    return this.back({ code: this.#api.graph.signIn({ tid: directory, oid: idOf(n) }), state, session_state: 'x' });
  }

  /** The code that the product is given. */
  async code(where: Company, n = 1): Promise<string> {
    const answer = await this.signIn(where, n);
    if (answer.status !== 302) throw new Error(`Nobody came in: ${answer.status} ${answer.text}`);
    return new URL(answer.headers.get('location') ?? 'none:').searchParams.get('code') ?? '';
  }
}

/** Pages of people who do not come in, brought about; the longest words that may stand in them. */
export async function signInPages(api: ApiUnderTest): Promise<ReadonlyMap<string, string>> {
  const contoso = await company(api);
  const strict = await company(api, { signIn: { requireAssignment: true } });
  const said = async (query: Record<string, string>) => {
    const person = new Person(api);
    return (await person.back({ ...query, state: await person.sent(contoso.id) })).text;
  };
  const error_description = `AADSTS53003: ${'unbroken'.repeat(40)}`;
  const visitor = new Person(api);
  return new Map([
    ['no state', (await visitor.back({ code: 'x' })).text],
    ['cancelled', await said({ error: 'access_denied', error_subcode: 'cancel' })],
    ['blocked by a policy', await said({ error: 'access_denied', error_description })],
    ['an error without a number', await said({ error: 'unheard-of'.repeat(30) })],
    ['disabled', (await new Person(api).signIn(contoso, 2)).text],
    ['not in the mirror', (await new Person(api).signIn(contoso, 99)).text],
    ['not assigned', (await new Person(api).signIn(strict)).text],
    ['nobody can sign in here', (await visitor.begin('unknown')).text],
    ['signed out', (await visitor.open('/signin/callback')).text],
  ]);
}
