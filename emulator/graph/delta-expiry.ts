import type { ExpiryShape } from '../tenant-settings.ts';
import type { Tenant } from '../tenant.ts';
import type { DeltaToken, PageToken } from './delta-token.ts';
import { GraphError } from './graph-error.ts';

export type TokenScope = 'delta' | 'page' | 'all';

interface Order {
  readonly resource: 'users' | 'groups' | 'all';
  readonly scope: TokenScope;
  readonly shape: ExpiryShape;
  readonly upTo: number;
}

interface TenantTokens {
  issued: number;
  orders: Order[];
}

/** Issues token numbers per tenant and remembers which were made to expire by command. */
export class DeltaExpiry {
  readonly #tenants = new WeakMap<Tenant, TenantTokens>();

  nextSerial(tenant: Tenant): number {
    const tokens = this.#of(tenant);
    tokens.issued += 1;
    return tokens.issued;
  }

  /** Every token issued so far stops working, in the shape asked for. */
  expireAll(tenant: Tenant, resource: Order['resource'], scope: TokenScope, shape: ExpiryShape): void {
    const tokens = this.#of(tenant);
    tokens.orders.push({ resource, scope, shape, upTo: tokens.issued });
  }

  /** The shape in which this token is refused, or undefined while it works. */
  expiredShape(tenant: Tenant, token: DeltaToken | PageToken, now: number): ExpiryShape | undefined {
    const isPage = token.kind !== 'delta';
    const ordered = this.#of(tenant).orders.findLast(
      (order) =>
        token.serial <= order.upTo &&
        (order.resource === 'all' || order.resource === token.resource) &&
        (order.scope === 'all' || (order.scope === 'page') === isPage),
    );
    if (ordered !== undefined) return ordered.shape;
    const { lifetimeMs, expiryShape } = tenant.settings.delta;
    if (now - token.issuedAt <= lifetimeMs) return undefined;
    // A page token that is too old has an error of its own.
    return isPage ? 'f' : expiryShape;
  }

  #of(tenant: Tenant): TenantTokens {
    const known = this.#tenants.get(tenant);
    if (known !== undefined) return known;
    const made = { issued: 0, orders: [] };
    this.#tenants.set(tenant, made);
    return made;
  }
}

/** The shapes in which Graph says that a token is of no use any more (reference, 4.5). */
export function expiryError(shape: ExpiryShape, deltaUrl: string): GraphError {
  switch (shape) {
    case 'a':
      return new GraphError(
        410,
        'resyncRequired',
        "Resync required. Replace any local items with the server's version.",
        {
          Location: `${deltaUrl}?$deltatoken=`,
        },
      );
    case 'b':
      return new GraphError(
        400,
        'syncStateNotFound',
        'The sync state generation is not found. The delta token is expired and data must be synchronized again.',
      );
    case 'c':
      return new GraphError(400, 'Request_UnsupportedQuery', 'DeltaLink older than 30 days is not supported.');
    case 'd':
      return new GraphError(
        410,
        'SyncStateNotFound',
        'The sync state generation is not found; generation=108;[highest=143].',
      );
    case 'e':
      return new GraphError(400, 'Request_BadRequest', 'Badly formed token.');
    default:
      return new GraphError(
        400,
        'Directory_ExpiredPageToken',
        'The specified page token value has expired and can no longer be included in your request.',
      );
  }
}
