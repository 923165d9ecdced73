/** The kinds of directory object that the emulator holds. */
export const OBJECT_KINDS = ['user', 'group', 'device', 'servicePrincipal', 'orgContact'] as const;

export type ObjectKind = (typeof OBJECT_KINDS)[number];

/**
 * A directory object inside the emulator: its kind and its place in that kind's row, in one number, so that millions of
 * memberships fit a typed array.
 */
export type ObjectRef = number;

const INDEX_BITS = 28;
const INDEX_MASK = 2 ** INDEX_BITS - 1;
const KIND_CODES: Readonly<Record<ObjectKind, number>> = {
  user: 0,
  group: 1,
  device: 2,
  servicePrincipal: 3,
  orgContact: 4,
};

export function refOf(kind: ObjectKind, index: number): ObjectRef {
  return KIND_CODES[kind] * 2 ** INDEX_BITS + index;
}

export function indexOf(ref: ObjectRef): number {
  return ref & INDEX_MASK;
}

export function kindOf(ref: ObjectRef): ObjectKind {
  return OBJECT_KINDS[ref >>> INDEX_BITS] ?? 'user';
}

/** The type name that Graph writes into `@odata.type`. */
export function odataTypeOf(kind: ObjectKind): string {
  return `#microsoft.graph.${kind}`;
}
