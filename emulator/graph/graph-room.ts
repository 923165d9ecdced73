import { randomUUID } from 'node:crypto';
import { headerOf, segmentsOf, type HttpRequest, type Reply } from '../http/message.ts';
import type { World } from '../world.ts';
import { Authenticator, type Caller } from './authenticate.ts';
import { DeltaExpiry } from './delta-expiry.ts';
import { DeltaService } from './delta.ts';
import { badRequest, errorBody, GraphError } from './graph-error.ts';
import { systemOptions, type GraphAnswer, type GraphRequest } from './graph-request.ts';
import { parsePath } from './path.ts';
import { resourceUnits } from './resource-units.ts';
import { answerRoute } from './routes.ts';
import { answerSubscriptions } from './subscription-routes.ts';

const JSON_TYPE = 'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8';

const DIAGNOSTIC = JSON.stringify({
  ServerInfo: { DataCenter: 'Emulator', Slice: 'E', Ring: '1', ScaleUnit: '000', RoleInstance: 'EMULATOR0001' },
});

/** Everything under `graph.microsoft.com`. */
export class GraphRoom {
  readonly expiry = new DeltaExpiry();
  readonly authenticator: Authenticator;
  readonly #world: World;
  readonly #delta = new DeltaService(this.expiry);

  constructor(world: World) {
    this.#world = world;
    this.authenticator = new Authenticator(world);
  }

  async answer(http: HttpRequest): Promise<Reply> {
    const headers = this.headersFor(http);
    try {
      return this.#success(http, await this.#handle(http, headers), headers);
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      return this.refusal(error, headers);
    }
  }

  /** The headers of every answer; errors carry the same ids in their body. */
  headersFor(http: HttpRequest): Record<string, string> {
    const requestId = randomUUID();
    return {
      'request-id': requestId,
      'client-request-id': headerOf(http, 'client-request-id') ?? requestId,
      'x-ms-ags-diagnostic': DIAGNOSTIC,
      'Strict-Transport-Security': 'max-age=31536000',
      'Cache-Control': 'no-cache',
      Date: new Date(this.#world.clock.now()).toUTCString(),
    };
  }

  refusal(error: GraphError, headers: Readonly<Record<string, string>>): Reply {
    const requestId = headers['request-id'] ?? '';
    const clientRequestId = headers['client-request-id'] ?? requestId;
    const body = errorBody(error.code, error.message, this.#world.clock.now(), requestId, clientRequestId);
    return {
      status: error.status,
      headers: { 'Content-Type': 'application/json', ...headers, ...error.headers },
      body,
    };
  }

  /** Every answer tells of the budget, also the refusals after it was charged: its headers join the others. */
  #handle(http: HttpRequest, headers: Record<string, string>): GraphAnswer | Promise<GraphAnswer> {
    const caller = this.authenticator.caller(http);
    if (segmentsOf(http.path)[0] !== 'v1.0') throw badRequest('Invalid version.');
    const options = systemOptions(http.query);
    const { tenant } = caller;
    const request: GraphRequest = { http, world: this.#world, tenant, caller, view: tenant.readView(), options };
    const path = parsePath(http.path);
    // Subscriptions have limits of their own (reference, 5.2).
    if (path[0]?.name === 'subscriptions') return answerSubscriptions(request, path);
    Object.assign(headers, this.#charge(caller, http));
    return answerRoute(request, path, this.#delta);
  }

  #charge({ tenant, appId }: Caller, http: HttpRequest): Readonly<Record<string, string>> {
    return this.#world.budgets.charge({
      appId,
      tenantId: tenant.id,
      users: tenant.directory.liveCount('user'),
      units: resourceUnits(http),
      priority: headerOf(http, 'x-ms-throttle-priority'),
      tenantLimit: tenant.settings.throttle,
      applicationLimit: this.#world.registration(appId)?.throttle ?? null,
    });
  }

  #success(http: HttpRequest, answer: GraphAnswer, headers: Readonly<Record<string, string>>): Reply {
    const status = answer.status ?? 200;
    return {
      status,
      headers: {
        ...(status === 204 ? {} : { 'Content-Type': answer.contentType ?? JSON_TYPE }),
        'OData-Version': '4.0',
        'x-ms-resource-unit': String(resourceUnits(http)),
        ...headers,
        ...answer.headers,
      },
      body: answer.body,
    };
  }
}
