import type { DeltaItem, Feed, MemberChange, MemberType } from '../domain/directory.ts';
import { CONTRACT_ATTRIBUTES, shapeOf, type Shape } from '../domain/selectable.ts';
import { isObject, textOf, type Json } from './json.ts';

/** How much was left out of a page, by reason. Reasons hold names of types and attributes, never values. */
export type Skipped = Readonly<Record<string, number>>;

export const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const MEMBER_TYPES: ReadonlyMap<string, MemberType> = new Map([
  ['#microsoft.graph.user', 'user'],
  ['#microsoft.graph.group', 'group'],
  ['#microsoft.graph.device', 'device'],
  ['#microsoft.graph.servicePrincipal', 'servicePrincipal'],
  ['#microsoft.graph.orgContact', 'orgContact'],
]);

const SHAPES: Readonly<Record<Feed, readonly (readonly [name: string, shape: Shape])[]>> = {
  users: shapesOf(CONTRACT_ATTRIBUTES.users),
  groups: shapesOf(CONTRACT_ATTRIBUTES.groups),
};

/** Reads the objects of a page one by one: what cannot be read is counted and left out, and never costs the others. */
export function parseDeltaItems(
  value: readonly unknown[],
  feed: Feed,
  chosen: readonly string[] = [],
): { readonly items: readonly DeltaItem[]; readonly skipped: Skipped } {
  const skipped: Record<string, number> = {};
  const skip = (reason: string) => {
    skipped[reason] = (skipped[reason] ?? 0) + 1;
  };
  const shapes = chosen.length === 0 ? SHAPES[feed] : [...SHAPES[feed], ...shapesOf(chosen)];
  const items: DeltaItem[] = [];
  for (const entry of value) {
    const id = isObject(entry) ? idOf(entry) : undefined;
    if (!isObject(entry) || id === undefined) skip('object without an id');
    else items.push(parseItem(entry, id, feed, shapes, skip));
  }
  return { items, skipped };
}

function parseItem(
  entry: Json,
  id: string,
  feed: Feed,
  shapes: readonly (readonly [name: string, shape: Shape])[],
  skip: (reason: string) => void,
): DeltaItem {
  const removed = entry['@removed'];
  if (removed !== undefined && removed !== null) {
    // Without a reason the milder one: what is hidden by mistake can come back, what is erased cannot.
    const reason = isObject(removed) && removed['reason'] === 'deleted' ? 'deleted' : 'changed';
    return { kind: 'removed', id, reason };
  }
  const attributes: Record<string, unknown> = {};
  for (const [name, shape] of shapes) {
    const value = shape === 'reference' ? referenceOf(entry[`${name}@delta`]) : entry[name];
    // Absent says nothing; null says that it was cleared (4.1).
    if (value === undefined) continue;
    const read = value === null ? null : readAs(shape, value);
    if (read === undefined) skip(`${name} of another type`);
    else attributes[name] = read;
  }
  return { kind: 'object', id, attributes, members: feed === 'groups' ? parseMembers(entry, skip) : [] };
}

function parseMembers(entry: Json, skip: (reason: string) => void): readonly MemberChange[] {
  const changes = entry['members@delta'];
  if (!Array.isArray(changes)) return [];
  const members: MemberChange[] = [];
  for (const change of changes as readonly unknown[]) {
    const memberId = isObject(change) ? idOf(change) : undefined;
    if (!isObject(change) || memberId === undefined) {
      skip('member without an id');
      continue;
    }
    const type = textOf(change['@odata.type']) ?? 'none';
    const memberType = MEMBER_TYPES.get(type);
    const removed = change['@removed'] !== undefined && change['@removed'] !== null;
    if (memberType) members.push({ memberId, memberType, removed });
    // A removal needs no type: if the membership is not ours, there is nothing to remove.
    else if (removed) members.push({ memberId, memberType: 'user', removed });
    else skip(`member of type ${/^[#\w.]{1,80}$/.test(type) ? type : 'unreadable'}`);
  }
  return members;
}

function idOf(entry: Json): string | undefined {
  const id = entry['id'];
  return typeof id === 'string' && ID.test(id) ? id.toLowerCase() : undefined;
}

/** In the order in which jsonb keeps an object's keys, the shorter first: what comes so need not be sorted when it is stored. */
function shapesOf(names: readonly string[]): readonly (readonly [name: string, shape: Shape])[] {
  const ordered = [...names].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  return ordered.map((name) => [name, shapeOf(name)] as const);
}

/** A relationship to one object names its new end, or says of the old one that it is removed: nothing is left then. */
function referenceOf(changes: unknown): string | null | undefined {
  if (!Array.isArray(changes)) return undefined;
  const ends = changes.filter(isObject);
  const end = ends.findLast(({ '@removed': removed }) => removed === undefined || removed === null);
  return end ? idOf(end) : ends.length > 0 ? null : undefined;
}

/** The value if it has the shape that Microsoft's metadata promises, else undefined. */
function readAs(shape: Shape, value: unknown): unknown {
  if (shape === 'flag') return typeof value === 'boolean' ? value : undefined;
  if (shape === 'any') return storableDeep(value);
  if (shape !== 'texts') return typeof value === 'string' ? storable(value) : undefined;
  return Array.isArray(value) && value.every((text) => typeof text === 'string') ? value.map(storable) : undefined;
}

// PostgreSQL's jsonb takes neither NUL nor half of a surrogate pair: one such name would stop its whole page.
const UNSTORABLE = /\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

function storable(text: string): string {
  return UNSTORABLE.test(text) ? text.replace(new RegExp(UNSTORABLE, 'g'), '\uFFFD') : text;
}

function storableDeep(value: unknown): unknown {
  if (typeof value === 'string') return storable(value);
  if (Array.isArray(value)) return value.map(storableDeep);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [storable(key), storableDeep(part)]));
}
