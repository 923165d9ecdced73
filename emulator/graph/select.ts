import { badRequest, GraphError } from './graph-error.ts';
import { NOT_IN_COLLECTIONS } from './default-properties.ts';
import { METADATA } from './metadata.ts';

/** What `$select` named: properties, and relationships, which only delta query returns. */
export interface Selection {
  readonly properties: readonly string[];
  readonly relations: readonly string[];
}

// Directory and schema extensions are dynamic properties of these open types.
const EXTENSION = /^(extension_[0-9a-f]{32}_\w+|ext[a-z0-9]{8}_\w+)$/i;

/**
 * Reads `$select` for objects of some types; a name that none of them has is refused, as Graph refuses it. Undefined when
 * there is no `$select`.
 */
export function parseSelect(text: string | undefined, types: readonly string[]): Selection | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const properties = new Set<string>();
  const relations = new Set<string>();
  for (const name of text.split(',').map((part) => part.trim())) {
    if (name === '*') for (const type of types) for (const all of METADATA.propertyNames(type)) properties.add(all);
    else if (types.some((type) => METADATA.property(type, name) !== undefined) || EXTENSION.test(name))
      properties.add(name);
    else if (types.some((type) => METADATA.isNavigation(type, name))) relations.add(name);
    else
      throw badRequest(`Could not find a property named '${name}' on type 'microsoft.graph.${types[0] ?? 'entity'}'.`);
  }
  return { properties: [...properties], relations: [...relations] };
}

export function refuseOutsideDirectory(selection: Selection | undefined): void {
  if (selection?.properties.some((name) => NOT_IN_COLLECTIONS.has(name)) === true) {
    throw new GraphError(501, 'NotImplemented', 'This operation target is not yet supported.');
  }
}
