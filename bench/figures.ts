/** Some measurements of one thing. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return { median: (low + high) / 2, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

/** Of what not every system tells: only what was told. */
export const told = (values: readonly (number | undefined)[]): readonly number[] =>
  values.filter((value) => value !== undefined);

export const ratio = (a: Spread, b: Spread): number => a.median / b.median;

export const seconds = ({ median, min, max }: Spread): string =>
  `${inSeconds(median)} s (${inSeconds(min)}–${inSeconds(max)})`;

const inSeconds = (ms: number): string => (ms / 1_000).toFixed(2);

/** The value that `part` of all are not above; NaN of none. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}
