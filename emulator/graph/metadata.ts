import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const property = z.object({ type: z.string(), nullable: z.boolean().optional() });
const structuredType = z.object({
  baseType: z.string().optional(),
  properties: z.record(z.string(), property).optional(),
  navigation: z.record(z.string(), z.string()).optional(),
});
const metadataFile = z.object({
  entityTypes: z.record(z.string(), structuredType),
  complexTypes: z.record(z.string(), structuredType),
});

export interface PropertyType {
  readonly type: string;
  readonly nullable: boolean;
}

/** Microsoft's published description of the types that Graph returns. */
export class Metadata {
  readonly #types = new Map<string, ReadonlyMap<string, PropertyType>>();
  readonly #navigation = new Map<string, ReadonlySet<string>>();

  constructor(file: z.infer<typeof metadataFile>) {
    for (const name of Object.keys(file.entityTypes)) {
      const properties = new Map<string, PropertyType>();
      const navigation = new Set<string>();
      for (let type: string | undefined = name; type !== undefined; type = file.entityTypes[type]?.baseType) {
        const definition: z.infer<typeof structuredType> | undefined = file.entityTypes[type];
        for (const [key, value] of Object.entries(definition?.properties ?? {})) {
          properties.set(key, { type: value.type, nullable: value.nullable ?? true });
        }
        for (const key of Object.keys(definition?.navigation ?? {})) navigation.add(key);
      }
      const short = name.replace('microsoft.graph.', '');
      this.#types.set(short, properties);
      this.#navigation.set(short, navigation);
    }
  }

  /** A property of an entity type or of one it is based on. */
  property(type: string, name: string): PropertyType | undefined {
    return this.#types.get(type)?.get(name);
  }

  propertyNames(type: string): string[] {
    return [...(this.#types.get(type)?.keys() ?? [])];
  }

  isNavigation(type: string, name: string): boolean {
    return this.#navigation.get(type)?.has(name) ?? false;
  }

  /** What a property that was never set looks like in a GET: null, or empty where the type knows no null. */
  unsetValue(type: string, name: string): null | false | 0 | readonly never[] {
    const known = this.property(type, name);
    if (known === undefined || known.nullable) return null;
    if (known.type.startsWith('Collection(')) return [];
    if (known.type === 'Edm.Boolean') return false;
    return known.type === 'Edm.Int32' ? 0 : null;
  }
}

const FILE = join('emulator', 'metadata', 'graph-v1.0-metadata.json');

/** The file stands beside the sources, not beside the compiled code, so it is looked for upwards from here. */
function findFile(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, FILE);
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) throw new Error(`${FILE} was not found above ${import.meta.url}`);
  }
}

export const METADATA = new Metadata(metadataFile.parse(JSON.parse(readFileSync(findFile(), 'utf8'))));
