import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { HostFacts } from '../domain/doctor.ts';
import { isObject, textOf } from './json.ts';
import { proxyFor } from './outbound.ts';

const STEP_MS = 5_000;
/** Who issues the certificates of Microsoft's own hosts. */
const KNOWN_ISSUERS = /digicert|microsoft/i;

export interface EgressConfig {
  readonly fetch: typeof fetch;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of the cloud itself, and no replacement for it. */
  readonly microsoftOwn: boolean;
  /** Trusted beside the system's authorities. */
  readonly ca?: string;
}

/** Goes the way to one of the configured hosts step by step: name, connection, proxy, certificate, answer, clock. */
export async function lookAtHost(origin: string, config: EgressConfig): Promise<HostFacts> {
  const url = new URL(origin);
  const proxy = proxyFor(url, config.env);
  const known = { host: url.host, proxy: proxy?.host ?? null };
  const first = proxy ?? url;
  const sockets: Socket[] = [];
  let step: NonNullable<HostFacts['failed']> = 'dns';
  let issuer: string | undefined;
  try {
    const name = first.hostname.replace(/^\[|\]$/g, '');
    if (isIP(name) === 0) await within(lookup(name));
    step = 'tcp';
    let socket = keep(sockets, await openTcp(name, portOf(first)));
    if (proxy) {
      step = 'proxy';
      if (proxy.protocol === 'https:') socket = keep(sockets, await openTls(socket, name, config.ca));
      await tunnel(socket, url, proxy);
    }
    step = 'tls';
    const tls = keep(sockets, await openTls(socket, url.hostname, config.ca));
    issuer = issuerOf(tls);
    if (!tls.authorized) throw new StepError(String(tls.authorizationError));
    step = 'http';
    const skewMs = await skewOf(origin, config.fetch);
    return {
      ...known,
      ...(issuer === undefined ? {} : { issuer }),
      ...(config.microsoftOwn && issuer !== undefined && !KNOWN_ISSUERS.test(issuer) ? { intercepted: true } : {}),
      ...(skewMs === undefined ? {} : { skewMs }),
    };
  } catch (error) {
    return { ...known, failed: step, error: wordOf(error), ...(issuer === undefined ? {} : { issuer }) };
  } finally {
    // The innermost first: Node does not survive it when what a TLS connection stands on goes before it.
    for (const socket of sockets.reverse()) socket.destroy();
  }
}

/** A step failed, in a word that may be shown. */
class StepError extends Error {
  override readonly name = 'StepError';
}

function keep<T extends Socket>(sockets: Socket[], socket: T): T {
  sockets.push(socket);
  // A connection that breaks later is nobody's concern any more.
  socket.on('error', () => undefined);
  return socket;
}

const portOf = (url: URL): number => Number(url.port || (url.protocol === 'http:' ? 80 : 443));

function within<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new StepError('timeout')), STEP_MS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function openTcp(host: string, port: number): Promise<Socket> {
  const socket = connectTcp({ host, port });
  return settled(socket, 'connect');
}

function openTls(socket: Socket, servername: string, ca: string | undefined): Promise<TLSSocket> {
  // Whom the certificate is from is to be seen even where it is not trusted; nothing is sent before it is.
  const tls = connectTls({
    socket,
    rejectUnauthorized: false,
    ...(isIP(servername) === 0 ? { servername } : {}),
    ...(ca === undefined ? {} : { ca }),
  });
  return settled(tls, 'secureConnect');
}

function settled<T extends Socket>(socket: T, event: string): Promise<T> {
  const opened = new Promise<T>((resolve, reject) => {
    socket.once(event, () => resolve(socket));
    socket.once('error', reject);
    socket.once('close', () => reject(new StepError('closed')));
  });
  return within(opened).catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
}

/** Asks the proxy for the way to the host, as the requests themselves do. */
async function tunnel(socket: Socket, { hostname, port }: URL, proxy: URL): Promise<void> {
  const target = `${hostname}:${port || 443}`;
  const login = proxy.username ? `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}` : '';
  const authorization = login ? `Proxy-Authorization: Basic ${Buffer.from(login).toString('base64')}\r\n` : '';
  const answered = new Promise<string>((resolve, reject) => {
    socket.once('data', (head: Buffer) => resolve(head.toString('latin1')));
    socket.once('close', () => reject(new StepError('closed')));
    socket.once('error', reject);
  });
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${authorization}\r\n`);
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(await within(answered))?.[1];
  if (status !== '200') throw new StepError(status === undefined ? 'no proxy' : `HTTP ${status}`);
}

function issuerOf(tls: TLSSocket): string | undefined {
  const { issuer } = tls.getPeerCertificate();
  if (!issuer) return undefined;
  return [issuer.O, issuer.CN].filter(Boolean).join(', ').slice(0, 200) || undefined;
}

/** By the header `Date`, which has whole seconds, in the middle of the time that the answer took. */
async function skewOf(origin: string, fetch: typeof globalThis.fetch): Promise<number | undefined> {
  const before = Date.now();
  const response = await fetch(`${origin}/`, { redirect: 'manual', signal: AbortSignal.timeout(STEP_MS) });
  const after = Date.now();
  await response.body?.cancel();
  const at = Date.parse(response.headers.get('date') ?? '');
  return Number.isNaN(at) ? undefined : at + 500 - (before + after) / 2;
}

/** A code of the system's or a word of ours: no text that an address or a secret could stand in. */
function wordOf(error: unknown): string {
  if (error instanceof StepError) return error.message;
  const codeOf = (value: unknown) => (isObject(value) ? textOf(value['code']) : undefined);
  const cause = isObject(error) ? error['cause'] : undefined;
  const name = isObject(error) ? textOf(error['name']) : undefined;
  return codeOf(cause) ?? codeOf(error) ?? name ?? 'unknown';
}
