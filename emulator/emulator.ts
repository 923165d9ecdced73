import { setTimeout as sleep } from 'node:timers/promises';
import { resolve } from 'node:path';
import { ControlRoom } from './control/control-room.ts';
import { faultReply } from './fault-reply.ts';
import { damage, type Fault } from './faults.ts';
import { tenantOfToken } from './graph/authenticate.ts';
import { GraphRoom } from './graph/graph-room.ts';
import { htmlReply, segmentsOf, type HttpRequest, type Reply } from './http/message.ts';
import { closeServer, listen, type Outcome } from './http/server.ts';
import { html, page } from './html.ts';
import { loginRoom } from './login/login-room.ts';
import { DEFAULT_CLIENT_ID, DEFAULT_REDIRECT_URIS, type RegistrationInput } from './registrations.ts';
import { routeOf } from './request-log.ts';
import { SigningKeys } from './signing-keys.ts';
import type { TenantSpec } from './tenant.ts';
import { loadCertificates } from './tls.ts';
import { World } from './world.ts';

export interface EmulatorOptions {
  /** 0 takes any free port. */
  readonly httpsPort?: number;
  readonly httpPort?: number;
  readonly host?: string;
  /** Where the certificates are kept. */
  readonly dataDir?: string;
  readonly seed?: number;
  readonly tenants?: readonly TenantSpec[];
  /** The registration that exists from the start; more can be made by the control API. */
  readonly registration?: RegistrationInput;
}

export interface Emulator {
  readonly httpsUrl: string;
  readonly httpUrl: string;
  readonly caFile: string;
  readonly world: World;
  close(): Promise<void>;
}

/** Starts the emulator in this process, on loopback. HTTPS and HTTP serve the same. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const host = options.host ?? '127.0.0.1';
  const [certificates, keys] = await Promise.all([
    loadCertificates(resolve(options.dataDir ?? '.data/emulator')),
    SigningKeys.create(),
  ]);
  const world = new World(keys, options.seed ?? 1);
  const rooms = new Rooms(world, options);
  const handler = (request: HttpRequest): Promise<Outcome> => rooms.answer(request);
  const https = await listen(handler, options.httpsPort ?? 0, host, certificates);
  const http = await listen(handler, options.httpPort ?? 0, host);
  world.issuerOrigin = `https://localhost:${https.port}`;
  return {
    httpsUrl: world.issuerOrigin,
    httpUrl: `http://localhost:${http.port}`,
    caFile: certificates.caFile,
    world,
    async close() {
      world.notifications.clear();
      await Promise.all([closeServer(https.server), closeServer(http.server)]);
    },
  };
}

/** Finds the room a request is meant for, lets faults strike on the way in and out, and keeps count. */
class Rooms {
  readonly #world: World;
  readonly #graph: GraphRoom;
  readonly #control: ControlRoom;

  constructor(world: World, options: EmulatorOptions) {
    this.#world = world;
    this.#graph = new GraphRoom(world);
    const furnish = (): void => {
      world.register({ clientId: DEFAULT_CLIENT_ID, redirectUris: DEFAULT_REDIRECT_URIS, ...options.registration });
      for (const spec of options.tenants ?? []) world.addTenant(spec);
    };
    furnish();
    this.#control = new ControlRoom(world, this.#graph, furnish);
  }

  /** Answers carry the time of the emulator's clock, as Microsoft's do of theirs. */
  async answer(request: HttpRequest): Promise<Outcome> {
    const outcome = await this.#answer(request);
    if (outcome === 'reset') return outcome;
    const date = new Date(this.#world.clock.now()).toUTCString();
    return { ...outcome, headers: { Date: date, ...outcome.headers } };
  }

  async #answer(request: HttpRequest): Promise<Outcome> {
    if (request.path.startsWith('/_emulator')) return this.#control.answer(request);
    const started = performance.now();
    const isGraph = /^\/(v1\.0|beta)(\/|$)/.test(request.path);
    const tenant = this.#tenantOf(request, isGraph);
    const faults = this.#world.faults.strike(request, tenant);
    if (isGraph) await this.#delay(tenant);
    const outcome = await this.#struck(request, faults, isGraph);
    this.#world.requests.add({
      at: new Date(this.#world.clock.now()).toISOString(),
      method: request.method,
      path: request.path,
      tenant: tenant ?? null,
      route: routeOf(request.path),
      status: outcome === 'reset' ? 'reset' : outcome.status,
      requestId:
        outcome === 'reset' ? null : (outcome.headers['request-id'] ?? outcome.headers['x-ms-request-id'] ?? null),
      durationMs: Math.round((performance.now() - started) * 10) / 10,
      fault: faults.map((fault) => fault.kind).join(',') || null,
    });
    return outcome;
  }

  async #delay(tenant: string | undefined): Promise<void> {
    const ms = this.#world.tenants.get(tenant ?? '')?.latency.nextMs() ?? 0;
    if (ms > 0) await sleep(ms);
  }

  async #struck(request: HttpRequest, faults: readonly Fault[], isGraph: boolean): Promise<Outcome> {
    for (const fault of faults) if (fault.kind === 'latency') await sleep(fault.ms);
    const fault = faults.find((candidate) => candidate.kind !== 'latency');
    if (fault?.kind === 'reset') return 'reset';
    if (fault?.kind === 'status') return faultReply(this.#world, this.#graph, fault, request, isGraph);
    const reply = isGraph
      ? await this.#graph.answer(request)
      : (loginRoom(this.#world, request) ?? this.#frontPage(request));
    return fault === undefined ? reply : damage(fault, reply, request);
  }

  #tenantOf(request: HttpRequest, isGraph: boolean): string | undefined {
    if (isGraph) return tenantOfToken(request);
    const [name] = segmentsOf(request.path);
    return name === undefined ? undefined : this.#world.findTenant(name)?.id;
  }

  #frontPage(request: HttpRequest): Reply {
    if (request.path !== '/') return htmlReply(404, page('Not found', html`<h1>Not found</h1>`));
    const tenants = [...this.#world.tenants.values()].map(
      (tenant) => html`<li>${tenant.displayName} <small>${tenant.domain} · ${tenant.id}</small></li>`,
    );
    return htmlReply(
      200,
      page(
        'Emulator',
        html`<h1>Directories</h1>
          <ul>
            ${tenants}
          </ul>
          <p><a href="/_emulator/tenants">Control API</a></p>`,
      ),
    );
  }
}
