import type { OpenApi } from '../api/support/declared.ts';

type Json = Record<string, unknown>;
interface Operation {
  readonly security: readonly unknown[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: Json;
  }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Json }> };
}

/** A request that the document allows, with what its path may name still in braces. */
export interface Sample {
  readonly method: string;
  readonly route: string;
  readonly needsKey: boolean;
  readonly body: unknown;
  readonly type: string | undefined;
  /** The path with these in the place of its parameters; what is not given is made up. */
  path(names: Readonly<Record<string, string>>): string;
}

/** One request for every route of the document, so that a route of tomorrow is asked for as well. */
export function samplesOf(document: OpenApi): readonly Sample[] {
  return Object.entries(document.paths).flatMap(([route, methods]) =>
    Object.entries(methods).map(([method, found]) => {
      const operation = found as unknown as Operation;
      const [content] = Object.entries(operation.requestBody?.content ?? {});
      return {
        method: method.toUpperCase(),
        route,
        needsKey: operation.security.length > 0,
        body: content === undefined ? undefined : valueOf(content[1].schema, document),
        type: content?.[0],
        path: (names) => pathOf(route, operation, names, document),
      };
    }),
  );
}

function pathOf(
  route: string,
  { parameters = [] }: Operation,
  names: Readonly<Record<string, string>>,
  document: OpenApi,
): string {
  const schemas = new Map(parameters.map(({ name, schema }) => [name, schema]));
  const text = (name: string) => encodeURIComponent(names[name] ?? String(valueOf(schemas.get(name) ?? {}, document)));
  const required = parameters.filter((parameter) => parameter.in === 'query' && parameter.required);
  const query = required.map(({ name }) => `${name}=${text(name)}`).join('&');
  return route.replaceAll(/\{(\w+)\}/g, (_, name: string) => text(name)) + (query === '' ? '' : `?${query}`);
}

const UUID = '00000000-0000-4000-8000-000000000001';

/** The least that a schema asks for. */
function valueOf(schema: Json, document: OpenApi): unknown {
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    return valueOf(document.components.schemas[reference.split('/').at(-1) ?? ''] ?? {}, document);
  }
  for (const known of ['example', 'default', 'const']) if (schema[known] !== undefined) return schema[known];
  for (const some of ['examples', 'enum']) if (Array.isArray(schema[some])) return (schema[some] as unknown[])[0];
  for (const either of ['anyOf', 'oneOf', 'allOf']) {
    if (Array.isArray(schema[either])) return valueOf((schema[either] as Json[])[0] ?? {}, document);
  }
  switch (Array.isArray(schema['type']) ? schema['type'][0] : schema['type']) {
    case 'object': {
      const properties = (schema['properties'] ?? {}) as Record<string, Json>;
      const required = (schema['required'] ?? []) as string[];
      return Object.fromEntries(required.map((name) => [name, valueOf(properties[name] ?? {}, document)]));
    }
    case 'array':
      return [];
    case 'integer':
    case 'number':
      return schema['minimum'] ?? 1;
    case 'boolean':
      return false;
    default:
      return schema['format'] === 'uuid' ? UUID : 'text';
  }
}

/** Names of all properties that bodies of requests may have. */
export function fieldsOf(document: OpenApi): readonly string[] {
  const seen = new Set<unknown>();
  const names: string[] = [];
  const walk = (schema: unknown): void => {
    if (typeof schema !== 'object' || schema === null || seen.has(schema)) return;
    seen.add(schema);
    for (const [key, part] of Object.entries(schema)) {
      if (key === '$ref' && typeof part === 'string') walk(document.components.schemas[part.split('/').at(-1) ?? '']);
      if (key === 'properties' && typeof part === 'object' && part !== null) names.push(...Object.keys(part));
      walk(part);
    }
  };
  for (const operation of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
    walk((operation as unknown as Operation).requestBody);
  }
  return names;
}
