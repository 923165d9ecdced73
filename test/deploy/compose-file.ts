import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** What the tests read of docker-compose.yml, after interpolation and merging, as Compose would see it. */
export interface ComposeFile {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
}

export interface ComposeService {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly ports?: readonly string[];
}

export class MissingVariableError extends Error {
  override readonly name = 'MissingVariableError';
}

const COMPOSE = new URL('../../docker-compose.yml', import.meta.url);
const VARIABLE = /\$\$|\$\{(\w+)(?::([?-])([^}]*))?\}/g;

export function readCompose(variables: Readonly<Record<string, string>>): ComposeFile {
  const raw: unknown = parse(readFileSync(COMPOSE, 'utf8'), { merge: true });
  return interpolate(raw, variables) as ComposeFile;
}

function interpolate(node: unknown, variables: Readonly<Record<string, string>>): unknown {
  if (typeof node === 'string') return substitute(node, variables);
  if (Array.isArray(node)) return node.map((item) => interpolate(item, variables));
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, interpolate(value, variables)]));
}

/** `$$`, `${NAME}`, `${NAME:-default}` and `${NAME:?message}`: the forms that the file uses. */
function substitute(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(VARIABLE, (whole, name?: string, operator?: string, operand = '') => {
    if (whole === '$$' || name === undefined) return '$';
    const value = variables[name];
    if (value) return value;
    if (operator === '?') throw new MissingVariableError(`${name}: ${operand}`);
    return operator === '-' ? operand : '';
  });
}

/** The services in an order in which each comes after all that it waits for. */
export function startOrder({ services }: ComposeFile): readonly string[] {
  const order: string[] = [];
  const visit = (name: string, path: readonly string[]) => {
    if (path.includes(name)) throw new Error([...path, name].join(' waits for '));
    if (order.includes(name)) return;
    for (const needed of Object.keys(services[name]?.depends_on ?? {})) visit(needed, [...path, name]);
    order.push(name);
  };
  for (const name of Object.keys(services)) visit(name, []);
  return order;
}
