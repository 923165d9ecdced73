export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/**
 * A directory object under Graph's own property names. A property that was never set is absent; one that was set and
 * cleared later is null: delta query tells the two apart. Records are never changed in place.
 */
export interface DirectoryRecord {
  readonly id: string;
  readonly [property: string]: Json;
}

/** `live`; `softDeleted` for the 30 days in the deleted items; `purged` for ever. */
export type ObjectStatus = 'live' | 'softDeleted' | 'purged';

/** A text property of a record, or undefined where it is absent, null or no text. */
export function textOf(record: DirectoryRecord, property: string): string | undefined {
  const value = record[property];
  return typeof value === 'string' ? value : undefined;
}

/** Whether a value is an object with named properties, as complex types are. */
export function isComplex(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
