import type { ObjectKind } from '../directory/object-ref.ts';
import { defaultProperties, NOT_IN_COLLECTIONS } from './default-properties.ts';
import { openToken, type DeltaResource, type DeltaToken, type PageToken } from './delta-token.ts';
import { expiryError, type DeltaExpiry } from './delta-expiry.ts';
import { badRequest, unsupportedQuery } from './graph-error.ts';
import { rootOf, type GraphRequest } from './graph-request.ts';
import { parseSelect } from './select.ts';

export const KIND_OF: Readonly<Record<DeltaResource, ObjectKind>> = { users: 'user', groups: 'group' };

/** What a round of delta query reports: a change elsewhere produces nothing. */
export interface Tracked {
  readonly properties: readonly string[];
  readonly propertySet: ReadonlySet<string>;
  readonly manager: boolean;
  readonly members: boolean;
  /** Names as they appear in `@odata.context`; undefined without `$select`. */
  readonly selected: readonly string[] | undefined;
}

const LARGEST_ID_FILTER = 50;
const REFUSED_OPTIONS = ['$top', '$orderby', '$expand', '$search', '$skip', '$count'];
const ID_FILTER = /^\s*\(?\s*id\s+eq\s+'([^']+)'\s*\)?\s*$/i;

/** What a delta request asks for. */
export type DeltaQuery =
  | { readonly kind: 'initial'; readonly select: string | undefined; readonly ids: readonly string[] | undefined }
  | { readonly kind: 'latest'; readonly select: string | undefined; readonly ids: readonly string[] | undefined }
  | { readonly kind: 'token'; readonly token: DeltaToken | PageToken };

/** Reads the options of a delta request and refuses those that delta query does not support (delta query overview). */
export function readDeltaQuery(request: GraphRequest, resource: DeltaResource, expiry: DeltaExpiry): DeltaQuery {
  const { options } = request;
  for (const option of REFUSED_OPTIONS) {
    if (options.has(option))
      throw unsupportedQuery(`The query option '${option}' is not supported for delta query on '${resource}'.`);
  }
  const skip = options.get('$skiptoken');
  const delta = options.get('$deltatoken');
  if (skip !== undefined && delta !== undefined) throw badRequest('Badly formed token.', 'Request_BadRequest');
  const text = skip ?? delta;
  if (text !== undefined && text !== '' && text.toLowerCase() !== 'latest') {
    return { kind: 'token', token: checkedToken(request, resource, text, skip !== undefined, expiry) };
  }
  const select = options.get('$select');
  parseSelect(select, [KIND_OF[resource]]);
  const ids = readIds(options.get('$filter'));
  return { kind: text?.toLowerCase() === 'latest' ? 'latest' : 'initial', select, ids };
}

/** What is tracked by a `$select`, or by default. */
export function trackedBy(resource: DeltaResource, select: string | undefined): Tracked {
  const kind = KIND_OF[resource];
  const selection = parseSelect(select, [kind]);
  const properties = (selection?.properties ?? defaultProperties(kind)).filter(
    // Kept outside the directory, where changes are not tracked.
    (name) => name !== 'id' && name !== 'deletedDateTime' && !NOT_IN_COLLECTIONS.has(name),
  );
  const relations = selection?.relations ?? (resource === 'groups' ? ['members'] : []);
  return {
    properties,
    propertySet: new Set(properties),
    manager: relations.includes('manager'),
    members: relations.includes('members'),
    selected: selection === undefined ? undefined : [...selection.properties, ...selection.relations],
  };
}

function readIds(filter: string | undefined): string[] | undefined {
  if (filter === undefined) return undefined;
  const ids = filter.split(/\s+or\s+/i).map((part) => ID_FILTER.exec(part)?.[1]);
  const known = ids.filter((id) => id !== undefined);
  if (known.length !== ids.length)
    throw unsupportedQuery('Unsupported filter: delta query can only be filtered by id.');
  if (known.length > LARGEST_ID_FILTER) {
    throw unsupportedQuery(`Too many objects in the filter: ${known.length}. The maximum is ${LARGEST_ID_FILTER}.`);
  }
  return known;
}

/** A token works for the tenant, the application and the resource it was made for, until it expires. */
function checkedToken(
  request: GraphRequest,
  resource: DeltaResource,
  text: string,
  isPage: boolean,
  expiry: DeltaExpiry,
): DeltaToken | PageToken {
  const { tenant, caller, world } = request;
  const url = `${rootOf(request)}/${resource}/delta`;
  const token = openToken(world, text);
  const foreign =
    token === undefined ||
    token.resource !== resource ||
    token.tenant !== tenant.id ||
    token.app !== caller.appId ||
    (token.kind !== 'delta') !== isPage;
  if (foreign) throw expiryError('e', url);
  const shape = expiry.expiredShape(tenant, token, world.clock.now());
  if (shape !== undefined) throw expiryError(shape, url);
  const seen = token.kind === 'delta' ? token.seen : token.to;
  // The emulator was restarted and its directory is the generated one again: as after a migration of the tenant.
  if (seen > tenant.directory.log.head) throw expiryError('a', url);
  return token;
}
