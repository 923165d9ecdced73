import { Random } from './random.ts';

/** Milliseconds before an answer of Graph: always the same, or anything from `min` to `max` as a seed decides. */
export type LatencySetting =
  number | { readonly min: number; readonly max: number; readonly seed?: number | undefined };

/** The delays of one tenant's answers; the same setting gives the same ones in every run. */
export class Latency {
  readonly #setting: LatencySetting;
  readonly #random: Random;

  constructor(setting: LatencySetting) {
    this.#setting = setting;
    this.#random = new Random(typeof setting === 'number' ? 1 : (setting.seed ?? 1));
  }

  nextMs(): number {
    if (typeof this.#setting === 'number') return this.#setting;
    const { min, max } = this.#setting;
    return min + this.#random.next() * (max - min);
  }
}
