import type { SealedPlace } from '../../domain/sealed.ts';

export interface SealedStore {
  /** How many rows are sealed under which key, by its id. */
  countByKey(place: SealedPlace): Promise<ReadonlyMap<string, number>>;
  /**
   * Some of the rows that are not sealed under this key, after a key of a row (at first ''), in one transaction that keeps
   * others from them. What `change` leaves undefined stays. `last`: go on after it; undefined at the end.
   */
  reseal(
    place: SealedPlace,
    under: string,
    after: string,
    change: (key: string, sealed: Uint8Array) => Uint8Array | undefined,
  ): Promise<{ readonly changed: number; readonly last: string | undefined }>;
}
