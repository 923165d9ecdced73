import { isComplex, type DirectoryRecord, type Json } from '../directory/directory-record.ts';
import { odataTypeOf, type ObjectKind } from '../directory/object-ref.ts';
import { defaultProperties } from './default-properties.ts';
import { METADATA } from './metadata.ts';

export type Rendered = Record<string, Json>;

/** A GET or a list shows every property asked for; one that was never set is null or an empty collection. */
export function renderFull(type: string, record: DirectoryRecord, properties: readonly string[] | undefined): Rendered {
  const rendered: Rendered = {};
  for (const name of properties ?? defaultProperties(type)) {
    const value = record[name];
    // A null extension property is left out of responses (reference, 3.7).
    if (value === undefined && METADATA.property(type, name) === undefined) continue;
    rendered[name] = complete(name, value ?? METADATA.unsetValue(type, name));
  }
  rendered['id'] ??= record.id;
  return rendered;
}

/**
 * Delta query leaves out what was never set; what was set and cleared is null. A collection that the metadata calls
 * never null has no unset state: it is empty (reference, 4.3: `"groupTypes":[]`).
 */
export function renderSet(type: string, record: DirectoryRecord, properties: readonly string[]): Rendered {
  const rendered: Rendered = { id: record.id };
  for (const name of properties) {
    const value = record[name] ?? unsetInDelta(type, name, record[name]);
    if (value !== undefined) rendered[name] = complete(name, value);
  }
  return rendered;
}

/** What delta query says of a property without a value: undefined leaves it out. */
export function unsetInDelta(type: string, name: string, value: Json | undefined): Json | undefined {
  const unset = METADATA.unsetValue(type, name);
  return Array.isArray(unset) ? [] : value;
}

/** A member of a mixed list: its type is named, and what the caller may not read of it is null. */
export function renderTyped(
  kind: ObjectKind,
  record: DirectoryRecord,
  properties: readonly string[] | undefined,
  readable: boolean,
): Rendered {
  const own = (properties ?? defaultProperties(kind)).filter((name) => METADATA.property(kind, name) !== undefined);
  const head = { '@odata.type': odataTypeOf(kind) };
  if (readable) return { ...head, ...renderFull(kind, record, own) };
  const hidden = own.map((name) => [name, METADATA.unsetValue(kind, name)] as const);
  return { ...head, ...Object.fromEntries(hidden), id: record.id };
}

const EXTENSION_ATTRIBUTES = Array.from({ length: 15 }, (_, i) => `extensionAttribute${i + 1}`);

/** The fifteen extension attributes are always shown together. */
function complete(name: string, value: Json): Json {
  if (name !== 'onPremisesExtensionAttributes') return value;
  const given = isComplex(value) ? value : {};
  return Object.fromEntries(EXTENSION_ATTRIBUTES.map((attribute) => [attribute, given[attribute] ?? null]));
}
