import { readFileSync } from 'node:fs';

interface StructuredType {
  readonly baseType?: string;
  readonly properties?: Readonly<Record<string, { readonly type: string; readonly nullable?: boolean }>>;
  readonly navigation?: Readonly<Record<string, string>>;
}

interface MetadataFile {
  readonly entityTypes: Readonly<Record<string, StructuredType>>;
  readonly complexTypes: Readonly<Record<string, StructuredType>>;
  readonly enums: Readonly<Record<string, readonly string[]>>;
}

const METADATA = JSON.parse(
  readFileSync(new URL('../data/graph-v1.0-metadata.json', import.meta.url), 'utf8'),
) as MetadataFile;

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** Everything in which an object differs from Microsoft's published description of its type. */
export function violations(typeName: string, object: unknown, path = typeName): string[] {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return [`${path} is no object`];
  const type = definitionOf(typeName);
  if (type === undefined) return [`${path}: unknown type ${typeName}`];
  return Object.entries(object).flatMap(([name, value]) => {
    const here = `${path}.${name}`;
    if (name.startsWith('@')) return [];
    if (name.endsWith('@delta')) return deltaViolations(typeName, name.slice(0, -'@delta'.length), value, here);
    const property = propertyOf(typeName, name);
    if (property === undefined) return [`${here} is no property of ${typeName}`];
    return valueViolations(property.type, property.nullable ?? true, value, here);
  });
}

function deltaViolations(typeName: string, relation: string, value: unknown, path: string): string[] {
  if (!isNavigation(typeName, relation)) return [`${path}: ${relation} is no relation of ${typeName}`];
  if (!Array.isArray(value)) return [`${path} is no list`];
  return value.flatMap((entry: Record<string, unknown>, i) => {
    const type = String(entry['@odata.type']).replace('#', '');
    return METADATA.entityTypes[type] === undefined
      ? [`${path}[${i}] is of no known type: ${type}`]
      : violations(type, entry, `${path}[${i}]`);
  });
}

function valueViolations(type: string, nullable: boolean, value: unknown, path: string): string[] {
  const item = /^Collection\((.*)\)$/.exec(type)?.[1];
  if (item !== undefined) {
    if (value === null) return nullable ? [] : [`${path} is null`];
    if (!Array.isArray(value)) return [`${path} is no collection`];
    return value.flatMap((entry, i) => valueViolations(item, false, entry, `${path}[${i}]`));
  }
  if (value === null) return nullable ? [] : [`${path} is null`];
  switch (type) {
    case 'Edm.String':
      return typeof value === 'string' ? [] : [`${path} is no text`];
    case 'Edm.Boolean':
      return typeof value === 'boolean' ? [] : [`${path} is no truth value`];
    case 'Edm.Int32':
      return Number.isInteger(value) ? [] : [`${path} is no whole number`];
    case 'Edm.Guid':
      return typeof value === 'string' && GUID.test(value) ? [] : [`${path} is no GUID: ${JSON.stringify(value)}`];
    case 'Edm.DateTimeOffset':
      return typeof value === 'string' && DATE_TIME.test(value) ? [] : [`${path} is no time: ${JSON.stringify(value)}`];
    default:
      break;
  }
  const members = METADATA.enums[type];
  if (members !== undefined)
    return typeof value === 'string' && members.includes(value)
      ? []
      : [`${path}: ${JSON.stringify(value)} is not in ${type}`];
  return violations(type, value, path);
}

function definitionOf(name: string): StructuredType | undefined {
  return METADATA.entityTypes[name] ?? METADATA.complexTypes[name];
}

function propertyOf(
  typeName: string,
  name: string,
): { readonly type: string; readonly nullable?: boolean } | undefined {
  for (let type = definitionOf(typeName); type !== undefined; type = baseOf(type)) {
    const property = type.properties?.[name];
    if (property !== undefined) return property;
  }
  return undefined;
}

function isNavigation(typeName: string, name: string): boolean {
  for (let type = definitionOf(typeName); type !== undefined; type = baseOf(type)) {
    if (type.navigation?.[name] !== undefined) return true;
  }
  return false;
}

function baseOf(type: StructuredType): StructuredType | undefined {
  return type.baseType === undefined ? undefined : definitionOf(type.baseType);
}

/** Names of every property that a type has, those of its base types included. */
export function propertiesOf(typeName: string): string[] {
  const names: string[] = [];
  for (let type = definitionOf(typeName); type !== undefined; type = baseOf(type))
    names.push(...Object.keys(type.properties ?? {}));
  return names;
}
