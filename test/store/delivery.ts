import type { RoundKind } from '../../src/domain/activities.ts';
import type { DeltaItem, Feed } from '../../src/domain/directory.ts';
import type { Random } from './random.ts';
import { joins, leaves, object, removed } from './rounds.ts';
import { type Asked, isSilent, type Name, NAMES, splitKey, type Thing, type Truth } from './truth.ts';

/** How a feed tells what it was asked: the last word on each thing, and the pages that lead to it. */
export interface Delivery {
  readonly feed: Feed;
  readonly kind: RoundKind;
  readonly asked: Asked;
  readonly final: readonly DeltaItem[];
  /** Memberships of which nothing could be said. */
  readonly unsaid: readonly string[];
  readonly pages: readonly (readonly DeltaItem[])[];
}

/**
 * Versions that are out of date first, then the last word, in any order, repeated, cut anywhere, whole stretches again. With
 * `firstInPart` a delta round may tell a part of what is new or back: `wholeOf` is then what a read by id shows.
 */
export function deliver(truth: Truth, feed: Feed, kind: RoundKind, random: Random, firstInPart = false): Delivery {
  const all = truth.ask(feed);
  const asked = firstInPart ? all : { ...all, fresh: new Map() };
  const { items, unsaid } =
    feed === 'users' ? { items: objectItems(asked, kind, random), unsaid: [] } : groupItems(truth, asked, kind, random);
  const stale = items.filter(() => random.chance(0.3)).map((item) => staleVersion(item, kind, random));
  const repeated = items.filter(() => random.chance(0.15));
  const pages = cut([...random.shuffle(stale), ...random.shuffle([...items, ...repeated])], random);
  return { feed, kind, asked, final: items, unsaid, pages: replay(pages, random) };
}

function objectItems(asked: Asked, kind: RoundKind, random: Random): DeltaItem[] {
  return kind === 'full'
    ? Array.from(asked.things).flatMap(([id, thing]) => initialItem(id, thing, random))
    : Array.from(asked.changed).flatMap(([id, names]) =>
        deltaItem(id, asked.things.get(id), asked.fresh.get(id) ?? names, random),
      );
}

/** What a read by id shows of an object, as old as what the feed tells. */
export function wholeOf({ feed, asked }: Delivery, id: string): readonly DeltaItem[] {
  const thing = asked.things.get(id);
  if (thing?.life !== 'live') return [];
  const members = [...asked.members].filter(
    ([key]) => feed === 'groups' && splitKey(key)[0] === id && !isSilent(key, asked),
  );
  return [
    object(
      id,
      thing.values,
      members.map(([key, type]) => joins(splitKey(key)[1], type)),
    ),
  ];
}

function initialItem(id: string, { life, values }: Thing, random: Random): DeltaItem[] {
  if (life === 'live') return [object(id, random.chance(0.2) ? present(values, NAMES) : values)];
  // Removals can appear in the first round too.
  return random.chance(0.3) ? [removed(id, life === 'soft' ? 'changed' : 'deleted')] : [];
}

function deltaItem(id: string, thing: Thing | undefined, names: ReadonlySet<Name>, random: Random): DeltaItem[] {
  if (!thing) return [];
  if (thing.life !== 'live') return [removed(id, thing.life === 'soft' ? 'changed' : 'deleted')];
  return [
    object(
      id,
      present(
        thing.values,
        NAMES.filter((name) => names.has(name) || random.chance(0.3)),
      ),
    ),
  ];
}

const present = (values: Thing['values'], names: readonly Name[]) =>
  Object.fromEntries(names.map((name) => [name, values[name] ?? null]));

function groupItems(
  truth: Truth,
  asked: Asked,
  kind: RoundKind,
  random: Random,
): { items: DeltaItem[]; unsaid: string[] } {
  const objects = objectItems(asked, kind, random);
  const keys = kind === 'full' ? new Set([...asked.members.keys(), ...asked.changedMembers]) : asked.changedMembers;
  const unsaid: string[] = [];
  const slices: DeltaItem[] = [];
  for (const key of keys) {
    const [groupId, memberId] = splitKey(key);
    if (isSilent(key, asked)) unsaid.push(key);
    else if (asked.members.has(key)) slices.push(slice(objects, groupId, joins(memberId, truth.typeOf(key)), kind));
    else if (kind === 'delta') slices.push(slice(objects, groupId, leaves(memberId, truth.typeOf(key)), kind));
  }
  return { items: [...objects, ...merged(slices, random)], unsaid };
}

/** Each slice of a large group repeats the group's own attributes, in a first round all of them. */
function slice(
  objects: readonly DeltaItem[],
  groupId: string,
  member: ReturnType<typeof joins>,
  kind: RoundKind,
): DeltaItem {
  const group = objects.find((item) => item.id === groupId);
  return object(groupId, kind === 'full' && group?.kind === 'object' ? group.attributes : {}, [member]);
}

/** Some slices of a group come in one item. */
function merged(slices: readonly DeltaItem[], random: Random): DeltaItem[] {
  const items: DeltaItem[] = [];
  for (const item of random.shuffle(slices)) {
    const index = items.findIndex((other) => other.id === item.id);
    const other = items[index];
    if (other?.kind === 'object' && item.kind === 'object' && random.chance(0.6)) {
      items[index] = { ...other, members: [...other.members, ...item.members] };
    } else items.push(item);
  }
  return items;
}

function staleVersion(item: DeltaItem, kind: RoundKind, random: Random): DeltaItem {
  if (item.kind === 'removed') return object(item.id, random.chance(0.5) ? { displayName: 'stale' } : {});
  if (item.members.length === 0 && random.chance(0.3)) return removed(item.id, random.pick(['changed', 'deleted']));
  const attributes = Object.fromEntries(
    Object.keys(item.attributes).map((name) => [
      name,
      name === 'accountEnabled' ? random.chance(0.5) : random.pick(['stale', null]),
    ]),
  );
  const members =
    kind === 'full' ? item.members : item.members.map((member) => ({ ...member, removed: random.chance(0.5) }));
  return object(item.id, attributes, members);
}

function cut(items: readonly DeltaItem[], random: Random): DeltaItem[][] {
  const pages: DeltaItem[][] = [];
  for (let at = 0; at < items.length;) {
    const size = random.below(5);
    pages.push(items.slice(at, at + size));
    at += size;
  }
  if (pages.length === 0 || random.chance(0.3)) pages.push([]);
  return pages;
}

/** A stretch of pages comes again, as far as it had come. */
function replay(pages: readonly (readonly DeltaItem[])[], random: Random): (readonly DeltaItem[])[] {
  if (!random.chance(0.25)) return [...pages];
  const to = random.below(pages.length);
  const from = random.below(to + 1);
  return [...pages.slice(0, to + 1), ...pages.slice(from, to + 1), ...pages.slice(to + 1)];
}
