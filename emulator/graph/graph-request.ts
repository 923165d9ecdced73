import { headerOf, type HttpRequest } from '../http/message.ts';
import type { DirectoryView } from '../directory/lagged-view.ts';
import type { ObjectKind } from '../directory/object-ref.ts';
import type { Tenant } from '../tenant.ts';
import type { World } from '../world.ts';
import type { Caller } from './authenticate.ts';
import { badRequest, GraphError } from './graph-error.ts';

/** A request that has been authenticated and belongs to a tenant. */
export interface GraphRequest {
  readonly http: HttpRequest;
  readonly world: World;
  readonly tenant: Tenant;
  readonly caller: Caller;
  /** What reads see; it may lag behind the directory. */
  readonly view: DirectoryView;
  readonly options: ReadonlyMap<string, string>;
}

/** What a handler answers: a JSON object, or text for `$count`. */
export interface GraphAnswer {
  /** 200 unless said otherwise. */
  readonly status?: number;
  readonly body: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const KNOWN_OPTIONS = new Set(
  '$select $top $filter $orderby $expand $search $count $skip $skiptoken $deltatoken $format'.split(' '),
);

/** System query options; their names are compared without case, and one that OData does not know is refused. */
export function systemOptions(query: URLSearchParams): Map<string, string> {
  const options = new Map<string, string>();
  for (const [name, value] of query) {
    const key = name.toLowerCase();
    if (!key.startsWith('$')) continue;
    if (!KNOWN_OPTIONS.has(key)) throw badRequest(`The query parameter '${name}' is not supported.`);
    if (options.has(key))
      throw badRequest(`Query option '${name}' was specified more than once, but it must be specified at most once.`);
    options.set(key, value);
  }
  return options;
}

export function isEventual(request: GraphRequest): boolean {
  return headerOf(request.http, 'consistencylevel')?.toLowerCase() === 'eventual';
}

export function prefersMinimal(request: GraphRequest): boolean {
  return /\breturn=minimal\b/i.test(headerOf(request.http, 'prefer') ?? '');
}

/** The root that `@odata.context` and the links of this answer stand on. */
export function rootOf(request: GraphRequest): string {
  return `${request.http.origin}/v1.0`;
}

export function contextUrl(request: GraphRequest, set: string, selected: readonly string[] | undefined): string {
  const list = selected === undefined ? '' : `(${selected.join(',')})`;
  return `${rootOf(request)}/$metadata#${set}${list}`;
}

const WHOLE_DIRECTORY = ['Directory.Read.All', 'Directory.ReadWrite.All'];

/** Application permissions with which objects of a kind may be read in full (permissions reference of Graph). */
export const READ_PERMISSIONS: Readonly<Record<ObjectKind, readonly string[]>> = {
  user: ['User.Read.All', 'User.ReadWrite.All', ...WHOLE_DIRECTORY],
  group: ['GroupMember.Read.All', 'Group.Read.All', 'Group.ReadWrite.All', ...WHOLE_DIRECTORY],
  device: ['Device.Read.All', ...WHOLE_DIRECTORY],
  servicePrincipal: ['Application.Read.All', 'Application.ReadWrite.All', ...WHOLE_DIRECTORY],
  orgContact: ['OrgContact.Read.All', ...WHOLE_DIRECTORY],
};

export const DIRECTORY_PERMISSIONS: readonly string[] = WHOLE_DIRECTORY;

export function mayRead(caller: Caller, kind: ObjectKind): boolean {
  return READ_PERMISSIONS[kind].some((permission) => caller.roles.has(permission));
}

export function demand(caller: Caller, permissions: readonly string[]): void {
  if (permissions.some((permission) => caller.roles.has(permission))) return;
  throw new GraphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
}
