import { indexOf, kindOf, refOf, type ObjectKind, type ObjectRef } from '../directory/object-ref.ts';
import { resourceNotFound, unsupportedQuery } from './graph-error.ts';
import { contextUrl, mayRead, type GraphAnswer, type GraphRequest } from './graph-request.ts';
import type { Listing } from './list.ts';
import { renderFull, renderTyped, type Rendered } from './render.ts';
import { parseSelect } from './select.ts';

/** The entity set that a kind of object lives in. */
export const SETS: Readonly<Record<ObjectKind, string>> = {
  user: 'users',
  group: 'groups',
  device: 'devices',
  servicePrincipal: 'servicePrincipals',
  orgContact: 'contacts',
};

const DIRECTORY_TYPES: readonly ObjectKind[] = ['user', 'group', 'device', 'servicePrincipal', 'orgContact'];

/** A live object of a kind by id; 404 where it is absent, deleted, or not yet known to a lagging replica. */
export function findLive(request: GraphRequest, kind: ObjectKind, id: string): ObjectRef {
  const { directory } = request.tenant;
  const byName = kind === 'user' && id.includes('@') ? directory.findByPrincipalName(id) : undefined;
  const ref = byName ?? directory.find(id);
  if (ref === undefined || kindOf(ref) !== kind || request.view.status(ref) !== 'live') throw resourceNotFound(id);
  return ref;
}

/** One object, as `GET /users/{id}` shows it. */
export function entity(request: GraphRequest, kind: ObjectKind, ref: ObjectRef, set = SETS[kind]): GraphAnswer {
  const expand = request.options.get('$expand');
  if (expand !== undefined) throw unsupportedQuery('The query option $expand is not supported by this emulator here.');
  const selection = parseSelect(request.options.get('$select'), [kind]);
  const body = {
    '@odata.context': `${contextUrl(request, set, selection?.properties)}/$entity`,
    ...renderFull(kind, request.view.record(ref), selection?.properties),
  };
  return { body: JSON.stringify(body) };
}

/** All live objects of a kind. */
export function collection(request: GraphRequest, kind: ObjectKind): Listing {
  const { directory } = request.tenant;
  return {
    set: SETS[kind],
    types: [kind],
    filterType: kind,
    *items(from) {
      for (let index = from; index < directory.size(kind); index += 1) {
        const ref = refOf(kind, index);
        if (request.view.status(ref) === 'live') yield { ref, next: index + 1 };
      }
    },
    render: (ref, selection) => renderFull(kind, request.view.record(ref), selection?.properties),
  };
}

/** A list of objects of several kinds; what the caller may not read shows type and id alone (reference, 3.4). */
export function mixed(request: GraphRequest, refs: () => Iterable<ObjectRef>): Listing {
  return {
    set: 'directoryObjects',
    types: ['directoryObject', ...DIRECTORY_TYPES],
    filterType: undefined,
    *items(from) {
      let place = 0;
      for (const ref of refs()) {
        place += 1;
        if (place > from && request.view.status(ref) === 'live') yield { ref, next: place };
      }
    },
    render: (ref, selection): Rendered => {
      const kind = kindOf(ref);
      return renderTyped(kind, request.view.record(ref), selection?.properties, mayRead(request.caller, kind));
    },
  };
}

export function groupsOf(request: GraphRequest, member: ObjectRef): Listing {
  return mixed(request, () => request.view.groupsOf(member).map((group) => refOf('group', indexOf(group))));
}

/** `/directory/deletedItems/microsoft.graph.user` */
export function deletedItems(request: GraphRequest, kind: ObjectKind): Listing {
  const refs = [...request.tenant.directory.withStatus(kind, 'softDeleted')];
  return {
    set: SETS[kind],
    types: [kind],
    filterType: kind,
    *items(from) {
      for (let place = from; place < refs.length; place += 1) {
        const ref = refs[place];
        if (ref !== undefined && request.view.status(ref) === 'softDeleted') yield { ref, next: place + 1 };
      }
    },
    render: (ref, selection) => renderDeleted(request, kind, ref, selection?.properties),
  };
}

export function deletedItem(request: GraphRequest, kind: ObjectKind | undefined, id: string): GraphAnswer {
  const ref = request.tenant.directory.find(id);
  if (ref === undefined || request.view.status(ref) !== 'softDeleted') throw resourceNotFound(id);
  if (kind !== undefined && kindOf(ref) !== kind) throw resourceNotFound(id);
  const own = kindOf(ref);
  const selection = parseSelect(request.options.get('$select'), [own]);
  const context = { '@odata.context': `${contextUrl(request, 'directoryObjects', selection?.properties)}/$entity` };
  const type = kind === undefined ? { '@odata.type': `#microsoft.graph.${own}` } : {};
  return { body: JSON.stringify({ ...context, ...type, ...renderDeleted(request, own, ref, selection?.properties) }) };
}

/**
 * A deleted security group says `securityEnabled: false` (known limitation, reference 3.8), so kinds are told apart by
 * `groupTypes`. A deleted user's principal name begins with its id without hyphens, so that the name is free for another.
 */
function renderDeleted(
  request: GraphRequest,
  kind: ObjectKind,
  ref: ObjectRef,
  properties: readonly string[] | undefined,
): Rendered {
  const record = request.view.record(ref);
  const name = record['userPrincipalName'];
  const shown = {
    ...record,
    ...(typeof name === 'string' ? { userPrincipalName: record.id.replaceAll('-', '') + name } : {}),
    ...(kind === 'group' ? { securityEnabled: false } : {}),
  };
  const rendered = renderFull(kind, shown, properties);
  if (properties === undefined) rendered['deletedDateTime'] = record['deletedDateTime'] ?? null;
  return rendered;
}
