import { ProxyAgent, fetch as undiciFetch } from 'undici';

type Env = Readonly<Record<string, string | undefined>>;

/** The proxy that leads to a host, as HTTPS_PROXY and NO_PROXY say, in capitals or not; undefined: straight. */
export function proxyFor(url: URL, env: Env): URL | undefined {
  const proxy = env['HTTPS_PROXY'] || env['https_proxy'];
  if (!proxy || isExempt(url, env['NO_PROXY'] ?? env['no_proxy'] ?? '')) return undefined;
  return URL.canParse(proxy) ? new URL(proxy) : undefined;
}

/** `host`, `.domain`, `host:port`, each with what is below it; `*` for all. */
function isExempt({ hostname, port }: URL, list: string): boolean {
  return list
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = '', only] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
      if (only !== undefined && only !== (port || '443')) return false;
      const domain = name.replace(/^\*?\./, '');
      return hostname === domain || hostname.endsWith(`.${domain}`);
    });
}

/**
 * The way out to Microsoft: Node's own `fetch` knows no proxies, so where one is set the requests go through it. Everything
 * that the product asks of Microsoft takes this way, and the diagnosis looks along it. `ca`: trusted beyond a proxy in place
 * of the system's authorities.
 */
export function outboundFetch(env: Env, ca?: string): typeof fetch {
  const agents = new Map<string, ProxyAgent>();
  const throughProxy = (input: string | URL, init: object = {}) => {
    const proxy = proxyFor(new URL(input), env);
    if (proxy === undefined) return fetch(input, init);
    const agent =
      agents.get(proxy.href) ??
      new ProxyAgent({ uri: proxy.href, ...(ca === undefined ? {} : { requestTls: { ca } }) });
    agents.set(proxy.href, agent);
    return undiciFetch(input, { ...init, dispatcher: agent });
  };
  // Two makers of the same types: the platform's and the library's that the platform took them from.
  return throughProxy as unknown as typeof fetch;
}
