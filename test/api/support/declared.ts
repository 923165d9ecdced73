import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

type Json = Record<string, unknown>;
interface Operation {
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema?: Json }> }>;
}
export interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Json> };
}

/** Holds answers against the OpenAPI document: a status, type or body that it does not tell of is a fault. */
export class Declared {
  readonly document: OpenApi;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor(document: OpenApi) {
    this.document = document;
    formats.default(this.#ajv);
    this.#ajv.addSchema({ $id: 'api', ...document });
  }

  routeOf(path: string): string | undefined {
    const found = Object.keys(this.document.paths).filter((template) =>
      new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`).test(path),
    );
    return found.find((template) => template === path) ?? found[0];
  }

  /** Throws with what is wrong; a method or path that is no route is not looked at. */
  check(method: string, path: string, answer: { status: number; type: string | null; text: string }): void {
    const route = this.routeOf(path);
    const operation = route === undefined ? undefined : this.document.paths[route]?.[method.toLowerCase()];
    if (route === undefined || operation === undefined) return;
    const place = `${method} ${route} ${answer.status}`;
    const declared = operation.responses[String(answer.status)];
    if (declared === undefined) throw new Error(`${place} is not declared: ${answer.text}`);
    if (declared.content === undefined) return;
    const type = (answer.type ?? '').split(';')[0] ?? '';
    if (declared.content[type] === undefined) throw new Error(`${place} is not declared as ${type}: ${answer.text}`);
    if (type === 'application/x-ndjson') {
      for (const line of answer.text.split('\n').filter((line) => line !== '')) {
        this.#validate(place, [route, method, answer.status, type], JSON.parse(line));
      }
    } else if (type.endsWith('json')) {
      this.#validate(place, [route, method, answer.status, type], JSON.parse(answer.text));
    }
  }

  #validate(place: string, [route, method, status, type]: [string, string, number, string], body: unknown): void {
    const parts = ['paths', route, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema'];
    const pointer = parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    const validate = this.#compiled.get(pointer) ?? this.#ajv.compile({ $ref: `api#/${pointer}` });
    this.#compiled.set(pointer, validate);
    if (!validate(body))
      throw new Error(`${place}: ${this.#ajv.errorsText(validate.errors)} in ${JSON.stringify(body)}`);
  }
}
