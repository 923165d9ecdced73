import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface Answer {
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

const MOST_REDIRECTS = 10;

/** A browser without a screen: cookies, redirects and forms over plain HTTP, trusting one more certificate authority. */
export class Browser {
  readonly #ca: string | undefined;
  readonly #cookies = new Map<string, Map<string, string>>();

  constructor(ca?: string) {
    this.#ca = ca;
  }

  async get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.#follow('GET', url, headers);
  }

  async post(url: string, form: Readonly<Record<string, string>>): Promise<Answer> {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    return this.#follow('POST', url, headers, new URLSearchParams(form).toString());
  }

  /** One request, no redirect followed. */
  async send(method: string, url: string, headers: Readonly<Record<string, string>>, body?: string): Promise<Answer> {
    const target = new URL(url);
    const jar = this.#jarOf(target);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await new Promise<Answer>((resolve, reject) => {
      const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
      const options = {
        method,
        headers: { Accept: 'text/html', ...(cookie === '' ? {} : { Cookie: cookie }), ...headers },
        ...(this.#ca === undefined || target.protocol !== 'https:' ? {} : { ca: this.#ca }),
      };
      const outgoing = send(target, options, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            url,
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) jar.set(name, value);
    }
    return answer;
  }

  async #follow(
    method: string,
    url: string,
    headers: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<Answer> {
    let answer = await this.send(method, url, headers, body);
    for (let hops = 0; hops < MOST_REDIRECTS; hops++) {
      const { location } = answer.headers;
      if (answer.status < 300 || answer.status > 399 || typeof location !== 'string') return answer;
      answer = await this.send('GET', new URL(location, answer.url).href, {});
    }
    throw new Error(`More than ${MOST_REDIRECTS} redirects from ${url}`);
  }

  #jarOf(url: URL): Map<string, string> {
    const jar = this.#cookies.get(url.hostname) ?? new Map<string, string>();
    this.#cookies.set(url.hostname, jar);
    return jar;
  }
}

/**
 * What a customer's administrator does: opens the set-up link, presses the button, accepts on each page of Microsoft's that
 * comes, and confirms what is then shown. Answers with the last page of ours.
 */
export async function connectAsAdministrator(browser: Browser, setupUrl: string, account: string): Promise<Answer> {
  const page = await browser.get(setupUrl);
  const start = /(?:href|action)="([^"]*\/start)"/.exec(page.text)?.[1];
  if (start === undefined) throw new Error(`No start button on ${setupUrl} (${page.status})`);
  return confirm(browser, await acceptAtMicrosoft(browser, await browser.get(new URL(start, page.url).href), account));
}

/** Presses Accept while the page is Microsoft's. */
export async function acceptAtMicrosoft(browser: Browser, first: Answer, account: string): Promise<Answer> {
  let page = first;
  for (let pages = 0; pages < 5 && page.text.includes('value="accept"'); pages++) {
    page = await browser.post(page.url, { other_account: account, account, action: 'accept' });
  }
  return page;
}

/** Presses Confirm where the page asks whether it is right. */
async function confirm(browser: Browser, page: Answer): Promise<Answer> {
  const [, action, fields = ''] = /<form method="post" action="([^"]*\/confirm)">(.*?)<\/form>/s.exec(page.text) ?? [];
  if (action === undefined) return page;
  const hidden = [...fields.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
  const form = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value]));
  return browser.post(new URL(action, page.url).href, form);
}
