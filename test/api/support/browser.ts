import type { ApiUnderTest, Answer } from './api-under-test.ts';

/** What a browser does in a consent: keeps cookies, follows to Microsoft, and comes back with what it is told. */
export class Visitor {
  readonly cookies = new Map<string, string>();
  readonly #api: ApiUnderTest;

  constructor(api: ApiUnderTest) {
    this.#api = api;
  }

  async open(path: string): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await this.#api.call('GET', path, { key: null, headers: cookie === '' ? {} : { Cookie: cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) this.cookies.set(name, value);
    }
    return answer;
  }

  /** Begins at the set-up link; the state that was sent to Microsoft. */
  async start(setupUrl: string): Promise<{ state: string; location: URL; answer: Answer }> {
    const answer = await this.open(`${new URL(setupUrl).pathname}/start`);
    const location = new URL(answer.headers.get('location') ?? 'none:');
    return { state: location.searchParams.get('state') ?? '', location, answer };
  }

  callback(query: Record<string, string>): Promise<Answer> {
    return this.open(`/consent/callback?${String(new URLSearchParams(query))}`);
  }

  /** Consents in the directory and is sent on to prove it; the state of the proof. */
  async consentThenProve(setupUrl: string, tenant: string): Promise<string> {
    const { state } = await this.start(setupUrl);
    const answer = await this.callback({ admin_consent: 'True', tenant, state });
    const location = new URL(answer.headers.get('location') ?? 'none:');
    if (answer.status !== 302) throw new Error(`No proof was asked for: ${answer.status} ${answer.text}`);
    return location.searchParams.get('state') ?? '';
  }
}
