import type { ApiUnderTest, Answer } from './api-under-test.ts';

/** What a browser does in a consent: keeps cookies, follows to Microsoft, and comes back with what it is told. */
export class Visitor {
  readonly cookies = new Map<string, string>();
  readonly #api: ApiUnderTest;

  constructor(api: ApiUnderTest) {
    this.#api = api;
  }

  open(path: string): Promise<Answer> {
    return this.#send('GET', path);
  }

  /** Submits the form of the page that leads to `action`, hidden fields and all. */
  submit(page: Answer, action: string, change: Record<string, string> = {}): Promise<Answer> {
    const [, form = ''] = new RegExp(`<form method="post" action="${action}">(.*?)</form>`, 's').exec(page.text) ?? [];
    const fields = [...form.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
    if (fields.length === 0) throw new Error(`No form leads to ${action}: ${page.status} ${page.text}`);
    const hidden = Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value]));
    return this.#send('POST', action, new URLSearchParams({ ...hidden, ...change }).toString());
  }

  /** The question to which an answer leads, where it does. */
  async asked(answer: Answer): Promise<Answer> {
    const location = new URL(answer.headers.get('location') ?? 'none:');
    if (location.pathname !== '/consent/confirm') throw new Error(`Nothing is asked: ${answer.status} ${answer.text}`);
    return this.open(location.pathname + location.search);
  }

  /** Is this right? Yes. */
  async confirm(answer: Answer): Promise<Answer> {
    return this.submit(await this.asked(answer), '/consent/confirm');
  }

  async #send(method: string, path: string, raw?: string): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = {
      ...(cookie === '' ? {} : { Cookie: cookie }),
      ...(raw === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' }),
    };
    const answer = await this.#api.call(method, path, { key: null, headers, ...(raw === undefined ? {} : { raw }) });
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
