import { z } from 'zod';
import { mutateAtRandom } from '../directory/random-mutations.ts';
import type { GraphRoom } from '../graph/graph-room.ts';
import { headerOf, jsonReply, segmentsOf, type HttpRequest, type Reply } from '../http/message.ts';
import type { Tenant } from '../tenant.ts';
import type { World } from '../world.ts';
import { ControlError } from './control-error.ts';
import { objectRoute } from './object-routes.ts';
import { principalRoute, stateOf } from './principal-routes.ts';
import { subscriptionRoute } from './subscription-routes.ts';
import {
  clockSchema,
  expireSchema,
  faultSchema,
  mutateSchema,
  registrationSchema,
  rotateSchema,
  settingsSchema,
  tenantSchema,
} from './schemas.ts';
import { truthObject, truthOf } from './truth.ts';

/** Everything under `/_emulator`: makes, changes and breaks the emulated world. Nothing of it exists at Microsoft. */
export class ControlRoom {
  readonly #world: World;
  readonly #graph: GraphRoom;
  readonly #furnish: () => void;

  constructor(world: World, graph: GraphRoom, furnish: () => void) {
    this.#world = world;
    this.#graph = graph;
    this.#furnish = furnish;
  }

  async answer(request: HttpRequest): Promise<Reply> {
    try {
      const [, room = '', ...rest] = segmentsOf(request.path);
      const body = parseBody(request);
      const result =
        room === 'tenants' ? this.#tenants(request, rest, body) : await this.#general(request, room, rest, body);
      if (result instanceof Object && 'headers' in result && 'body' in result) return result as Reply;
      return jsonReply(200, result ?? {});
    } catch (error) {
      if (error instanceof ControlError) return jsonReply(error.status, { error: error.message });
      if (error instanceof z.ZodError) return jsonReply(400, { error: z.prettifyError(error) });
      throw error;
    }
  }

  async #general(request: HttpRequest, room: string, rest: readonly string[], body: unknown): Promise<unknown> {
    const world = this.#world;
    const [id] = rest;
    switch (`${request.method} ${room}`) {
      case 'GET ':
      case 'GET state':
        return this.#state();
      case 'GET registrations':
        return { data: [...world.registrations.values()] };
      case 'PUT registrations':
        if (id === undefined) throw new ControlError(404, 'PUT /_emulator/registrations/{clientId}');
        return world.register({ clientId: id, ...registrationSchema.parse(body) });
      case 'GET clock':
        return { now: new Date(world.clock.now()).toISOString() };
      case 'POST clock':
        world.clock.advance(clockSchema.parse(body).advanceMs);
        return { now: new Date(world.clock.now()).toISOString() };
      case 'POST keys': {
        const { forgetOld } = rotateSchema.parse(body);
        await world.keys.rotate();
        if (forgetOld) {
          world.keys.forgetOld();
          this.#graph.authenticator.forget();
        }
        return {};
      }
      case 'GET faults':
        return { data: world.faults.list() };
      case 'POST faults':
        return { id: world.faults.add(faultSchema.parse(body)) };
      case 'DELETE faults':
        if (id === undefined) world.faults.clear();
        else if (!world.faults.remove(Number(id))) throw new ControlError(404, `no fault ${id}`);
        return {};
      case 'GET requests':
        return world.requests.summary(Number(request.query.get('limit') ?? 50));
      case 'DELETE requests':
        world.requests.clear();
        return {};
      case 'POST reset':
        world.clear();
        this.#furnish();
        return this.#state();
      default:
        throw new ControlError(404, `no control route ${request.method} ${request.path}`);
    }
  }

  #tenants(request: HttpRequest, path: readonly string[], body: unknown): unknown {
    const world = this.#world;
    const [name, action = '', ...rest] = path;
    if (name === undefined) {
      if (request.method === 'GET') return { data: [...world.tenants.values()].map((tenant) => summary(tenant)) };
      const spec = tenantSchema.parse(body);
      if (world.findTenant(spec.id ?? spec.domain) !== undefined) throw new ControlError(409, `${spec.domain} exists`);
      return { ...jsonReply(201, summary(world.addTenant(spec))) };
    }
    const tenant = world.findTenant(name);
    if (tenant === undefined) throw new ControlError(404, `no tenant ${name}`);
    switch (`${request.method} ${action}`) {
      case 'GET ':
        return summary(tenant);
      case 'DELETE ':
        world.tenants.delete(tenant.id);
        return {};
      case 'GET truth':
        return wantsLines(request) ? lines(tenant) : truthObject(tenant);
      case 'PATCH settings':
        tenant.configure(settingsSchema.parse(body));
        return tenant.settings;
      case 'POST mutate': {
        const { count, seed, only } = mutateSchema.parse(body);
        return { done: mutateAtRandom(tenant.directory, tenant.domain, count, seed, only) };
      }
      case 'POST expire-tokens': {
        const { resource, scope, shape } = expireSchema.parse(body);
        this.#graph.expiry.expireAll(tenant, resource, scope, shape);
        return {};
      }
      case 'GET app':
        return stateOf(tenant, request.query.get('clientId') ?? undefined);
      case 'POST app':
        return principalRoute(world, tenant, rest.join('/'), body);
      case 'GET subscriptions':
      case 'POST subscriptions':
      case 'GET deliveries':
      case 'DELETE deliveries':
        return subscriptionRoute(world, tenant, [request.method, action, ...rest].join(' '), body);
      default:
        return objectRoute(tenant, request.method, [action, ...rest], body);
    }
  }

  #state(): unknown {
    const { clock, tenants, registrations, issuerOrigin, seed } = this.#world;
    return {
      now: new Date(clock.now()).toISOString(),
      seed,
      authorityHost: issuerOrigin,
      graphBaseUrl: issuerOrigin,
      registrations: [...registrations.values()],
      tenants: [...tenants.values()].map((tenant) => summary(tenant)),
    };
  }
}

function summary(tenant: Tenant): Readonly<Record<string, unknown>> {
  const { directory } = tenant;
  const accounts = tenant
    .accounts()
    .map(({ id, userPrincipalName, displayName, part }) => ({ id, userPrincipalName, displayName, part }));
  return {
    id: tenant.id,
    displayName: tenant.displayName,
    domain: tenant.domain,
    initialDomain: tenant.initialDomain,
    counts: { users: directory.liveCount('user'), groups: directory.liveCount('group'), changes: directory.log.head },
    accounts,
    settings: tenant.settings,
  };
}

function parseBody(request: HttpRequest): unknown {
  if (request.body === '') return {};
  try {
    return JSON.parse(request.body);
  } catch {
    throw new ControlError(400, 'the body is no JSON');
  }
}

function wantsLines(request: HttpRequest): boolean {
  return (headerOf(request, 'accept') ?? '').includes('application/x-ndjson');
}

/** One object a line, `{"kind":…,"data":…}`: a directory of a million fits no single text. */
function lines(tenant: Tenant): Reply {
  function* texts(): Generator<string> {
    let block = '';
    for (const line of truthOf(tenant)) {
      block += `${JSON.stringify(line)}\n`;
      if (block.length > 65_536) {
        yield block;
        block = '';
      }
    }
    yield block;
  }
  return { status: 200, headers: { 'Content-Type': 'application/x-ndjson' }, body: texts() };
}
