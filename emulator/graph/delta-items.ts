import type { DirectoryRecord, Json } from '../directory/directory-record.ts';
import type { Directory } from '../directory/directory.ts';
import { indexOf, kindOf, odataTypeOf, type ObjectRef } from '../directory/object-ref.ts';
import type { Random } from '../random.ts';
import type { Tracked } from './delta-query.ts';
import { renderSet, unsetInDelta } from './render.ts';

/** A member in `members@delta`, or the one in `manager@delta`. */
export interface RelationEntry {
  readonly ref: ObjectRef;
  readonly removed: boolean;
}

// With more objects than this, texts are made anew each time instead of being kept.
const KEPT_LIMIT = 300_000;

/** Writes delta objects as JSON text. The text of an unchanged object is kept, for a first round repeats it often. */
export class DeltaItems {
  readonly #directory: Directory;
  readonly #kept = new Map<string, Map<ObjectRef, string>>();

  constructor(directory: Directory) {
    this.#directory = directory;
    directory.onChange((change) => {
      for (const texts of this.#kept.values()) texts.delete(change.ref);
    });
  }

  /** An object with every tracked property that is set. */
  full(ref: ObjectRef, tracked: Tracked, relations: string): string {
    const text = this.#fullText(ref, tracked);
    return relations === '' ? text : `${text.slice(0, -1)},${relations}}`;
  }

  /** A part, though nothing of it was told before: what changed, and one property that is set. */
  inPart(ref: ObjectRef, touched: ReadonlySet<string>, tracked: Tracked, relations: string, random: Random): string {
    const record = this.#directory.record(ref);
    const [first, ...rest] = tracked.properties.filter((name) => record[name] !== undefined);
    const shown = first === undefined ? touched : new Set([...touched, random.pick([first, ...rest])]);
    return this.minimal(ref, shown, relations);
  }

  /** Only what changed: `Prefer: return=minimal`. */
  minimal(ref: ObjectRef, touched: ReadonlySet<string>, relations: string): string {
    const record = this.#directory.record(ref);
    const item: Record<string, Json> = { id: record.id };
    for (const name of touched) item[name] = record[name] ?? unsetInDelta(kindOf(ref), name, null) ?? null;
    const text = JSON.stringify(item);
    return relations === '' ? text : `${text.slice(0, -1)},${relations}}`;
  }

  /** An object as it was in an earlier version. */
  older(ref: ObjectRef, record: DirectoryRecord, tracked: Tracked): string {
    return JSON.stringify(renderSet(kindOf(ref), record, tracked.properties));
  }

  /** Soft-deleted objects can come back: `changed`. Purged ones cannot: `deleted`. */
  removed(ref: ObjectRef): string {
    const reason = this.#directory.status(ref) === 'purged' ? 'deleted' : 'changed';
    return JSON.stringify({ id: this.#directory.idOf(ref), '@removed': { reason } });
  }

  managerOf(ref: ObjectRef): string {
    const manager = this.#directory.managerOf(ref);
    return manager === undefined ? '' : this.relation('manager', [{ ref: manager, removed: false }]);
  }

  /** `members@delta` shows id and type, and for a removal always the reason `deleted` (reference, 4.3). */
  relation(name: string, entries: readonly RelationEntry[]): string {
    if (entries.length === 0) return '';
    const texts = entries.map(({ ref, removed }) => {
      const head = `{"@odata.type":"${odataTypeOf(kindOf(ref))}","id":"${this.#directory.idOf(ref)}"`;
      return removed ? `${head},"@removed":{"reason":"deleted"}}` : `${head}}`;
    });
    return `"${name}@delta":[${texts.join(',')}]`;
  }

  #fullText(ref: ObjectRef, tracked: Tracked): string {
    const key = tracked.selected?.join(',') ?? '*';
    const kind = kindOf(ref);
    const texts = this.#textsFor(`${kind} ${key}`);
    const kept = texts.get(ref);
    if (kept !== undefined) return kept;
    const text = JSON.stringify(renderSet(kind, this.#directory.record(ref), tracked.properties));
    if (indexOf(ref) < KEPT_LIMIT) texts.set(ref, text);
    return text;
  }

  #textsFor(key: string): Map<ObjectRef, string> {
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    // Every distinct $select costs a set of texts; more than a few at once are not worth their memory.
    if (this.#kept.size >= 4) this.#kept.clear();
    const made = new Map<ObjectRef, string>();
    this.#kept.set(key, made);
    return made;
  }
}
