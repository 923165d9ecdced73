import * as z from 'zod';
import { problemDocument, statusOf, titleOf, type ProblemType } from './problem-document.ts';
import { FORM_TYPE, JSON_TYPE, LINES_TYPE, PROBLEM_TYPE } from './reply.ts';
import type { AnswerSpec, Route } from './route.ts';

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document, of exactly the declarations that requests are validated by. */
export function openapiOf(routes: readonly Route[], publicUrl: string): Json {
  const components: Json = {};
  const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => convert(schema, io, components);
  const paths: Record<string, Json> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operationOf(route, schemaOf);
  return {
    openapi: '3.1.0',
    info: {
      title: 'entra-sync',
      version: '1',
      description:
        'Mirrors Microsoft Entra ID directories: tenants, their people, groups and memberships, and every change.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: publicUrl }],
    paths,
    components: {
      schemas: components,
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key' } },
    },
  };
}

type SchemaOf = (schema: z.ZodType, io: 'input' | 'output') => Json;

function operationOf(route: Route, schemaOf: SchemaOf): Json {
  const parameters = [...parametersOf(route.params, 'path', schemaOf), ...parametersOf(route.query, 'query', schemaOf)];
  return {
    operationId: operationIdOf(route),
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: route.access === 'key' ? [{ key: [] }] : [],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: !route.body.safeParse(undefined).success,
            content: { [route.form ? FORM_TYPE : JSON_TYPE]: { schema: schemaOf(route.body, 'input') } },
          },
        }),
    responses: responsesOf(route, schemaOf),
  };
}

function operationIdOf({ method, path }: Route): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '' && word !== 'v1');
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function parametersOf(schema: z.ZodObject | undefined, where: 'path' | 'query', schemaOf: SchemaOf): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema,
  }));
}

function responsesOf(route: Route, schemaOf: SchemaOf): Json {
  const responses: Record<string, Json> = {};
  for (const [status, answer] of Object.entries(route.answers)) responses[status] = answerOf(answer, schemaOf);
  for (const [status, types] of problemsByStatus(route)) {
    const description = types.map((type) => `\`${type}\`: ${titleOf(type)}`).join('; ');
    const content = route.page === true ? { 'text/html': { schema: { type: 'string' } } } : problemContent(schemaOf);
    const told = responses[String(status)];
    responses[String(status)] = told ?? { description, content };
  }
  responses['431'] = TOO_LONG;
  return responses;
}

/** Node itself answers so, before any route is looked for. */
const TOO_LONG: Json = { description: 'Address and headers together are longer than 16 KiB; there is no body' };

const problemContent = (schemaOf: SchemaOf): Json => ({
  [PROBLEM_TYPE]: { schema: schemaOf(problemDocument, 'output') },
});

function problemsByStatus(route: Route): Map<number, ProblemType[]> {
  const types = new Set<ProblemType>([...route.problems, 'internal', 'unavailable']);
  if (route.access === 'key') types.add('unauthorized').add('key-not-allowed').add('too-many-requests');
  if (route.access === 'limited' || route.access === 'asking') types.add('too-many-requests');
  if (route.params !== undefined || route.query !== undefined || route.body !== undefined) types.add('invalid-request');
  if (route.body !== undefined) {
    for (const type of ['invalid-json', 'content-too-large', 'unsupported-media-type'] as const) types.add(type);
  }
  const byStatus = new Map<number, ProblemType[]>();
  for (const type of types) byStatus.set(statusOf(type), [...(byStatus.get(statusOf(type)) ?? []), type]);
  return new Map([...byStatus].sort(([a], [b]) => a - b));
}

function answerOf(answer: AnswerSpec, schemaOf: SchemaOf): Json {
  const content: Json = {};
  if (answer.schema !== undefined) content[answer.type ?? JSON_TYPE] = { schema: schemaOf(answer.schema, 'output') };
  if (answer.lines !== undefined) content[LINES_TYPE] = { schema: schemaOf(answer.lines, 'output') };
  const headers = Object.entries(answer.headers ?? {}).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' } },
  ]);
  return {
    description: answer.description,
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) as Json }),
    ...(answer.schema === undefined && answer.lines === undefined ? {} : { content }),
  };
}

/** A schema of ours as JSON Schema; those with an id become components, told once. */
function convert(schema: z.ZodType, io: 'input' | 'output', components: Json): Json {
  const {
    $schema: _,
    $defs,
    ...whole
  } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // Where the text of a query string stands for another type, the schema says which.
      const told = jsonSchema['openapi'];
      if (typeof told !== 'object' || told === null) return;
      const { description } = jsonSchema;
      for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key);
      Object.assign(jsonSchema, told, description === undefined ? {} : { description });
    },
  }) as Json & { $defs?: Record<string, Json> };
  for (const [name, definition] of Object.entries($defs ?? {})) components[name] = relink(definition);
  // A schema with an id of its own comes as a reference already.
  return relink(whole) as Json;
}

/** Definitions stand under `components`. */
function relink(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relink);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key,
      key === '$ref' && typeof part === 'string' ? part.replace('#/$defs/', '#/components/schemas/') : relink(part),
    ]),
  );
}
