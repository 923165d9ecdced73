import type { ObjectRef } from '../directory/object-ref.ts';
import type { Random } from '../random.ts';
import type { ChaosSettings } from '../tenant-settings.ts';

/** An object on a page, with the texts that show it in the order in which they must arrive. */
export interface PageUnit {
  readonly ref: ObjectRef;
  readonly texts: readonly string[];
  /** The object's version before this round, if it had one. */
  readonly older: string | undefined;
}

/**
 * Makes a page as untidy as the documentation allows: repeated objects, replays of what earlier pages showed, any order.
 * Whoever merges in order of arrival still ends with the truth, because the last text of an object is its current state.
 */
export function applyChaos(
  units: readonly PageUnit[],
  chaos: ChaosSettings,
  random: Random,
  others: { readonly shownBefore: ObjectRef | undefined; readonly deleted: ObjectRef | undefined },
  asItIs: (ref: ObjectRef) => string,
): PageUnit[] {
  const page: PageUnit[] = units.map((unit) => {
    const texts = [...unit.texts];
    if (unit.older !== undefined && random.chance(chaos.olderVersion)) texts.unshift(unit.older);
    const last = texts.at(-1);
    if (last !== undefined && random.chance(chaos.duplicate)) texts.push(last);
    return { ...unit, texts };
  });
  const add = (ref: ObjectRef | undefined, probability: number): void => {
    if (ref !== undefined && random.chance(probability)) page.push({ ref, texts: [asItIs(ref)], older: undefined });
  };
  add(others.shownBefore, chaos.replay);
  add(others.deleted, chaos.removedInFirstRound);
  return chaos.shuffle ? random.shuffle(page) : page;
}
