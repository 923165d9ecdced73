import type { DirectoryRecord, Json } from '../directory/directory-record.ts';
import { badRequest, unsupportedQuery } from './graph-error.ts';
import { METADATA } from './metadata.ts';

export interface Filter {
  readonly matches: (record: DirectoryRecord) => boolean;
  /** Needs `ConsistencyLevel: eventual` and `$count=true`. */
  readonly advanced: boolean;
}

const TOKEN = /\s*('(?:[^']|'')*'|[(),:]|[^\s(),:']+)/gy;

/**
 * The part of `$filter` that directories are asked in practice: `eq`, `ne`, `in`, `startsWith`, `endsWith`, `any` over a
 * list of texts, joined by `and`, `or` and `not`.
 */
export function parseFilter(text: string, type: string): Filter {
  return new FilterParser(tokens(text), type, text).parse();
}

function tokens(text: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const match = TOKEN.exec(text);
    if (match?.[1] === undefined)
      throw badRequest(`Invalid filter clause: There is an unterminated string literal in '${text}'.`);
    found.push(match[1]);
  }
  return found;
}

class FilterParser {
  readonly #tokens: readonly string[];
  readonly #type: string;
  readonly #text: string;
  #at = 0;
  #advanced = false;

  constructor(tokens: readonly string[], type: string, text: string) {
    this.#tokens = tokens;
    this.#type = type;
    this.#text = text;
  }

  parse(): Filter {
    const matches = this.#or();
    if (this.#at < this.#tokens.length) throw this.#invalid();
    return { matches, advanced: this.#advanced };
  }

  #or(): Filter['matches'] {
    let left = this.#and();
    while (this.#accept('or')) {
      const [a, b] = [left, this.#and()];
      left = (record) => a(record) || b(record);
    }
    return left;
  }

  #and(): Filter['matches'] {
    let left = this.#not();
    while (this.#accept('and')) {
      const [a, b] = [left, this.#not()];
      left = (record) => a(record) && b(record);
    }
    return left;
  }

  #not(): Filter['matches'] {
    if (!this.#accept('not')) return this.#primary();
    this.#advanced = true;
    const inner = this.#primary();
    return (record) => !inner(record);
  }

  #primary(): Filter['matches'] {
    if (this.#accept('(')) {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    const word = this.#next();
    const lower = word.toLowerCase();
    if (lower === 'startswith' || lower === 'endswith') return this.#textFunction(lower === 'startswith');
    if (word.includes('/any')) return this.#any(word.slice(0, word.indexOf('/any')));
    this.#check(word);
    const operator = this.#next().toLowerCase();
    if (operator === 'in') {
      const values = this.#list();
      return (record) => values.some((value) => equal(record[word], value));
    }
    const value = this.#literal();
    if (operator === 'eq') return (record) => equal(record[word], value);
    if (operator === 'ne') {
      this.#advanced = true;
      return (record) => !equal(record[word], value);
    }
    throw unsupportedQuery(
      `Unsupported or invalid query filter clause specified for property '${word}' of resource '${this.#type}'.`,
    );
  }

  #textFunction(atStart: boolean): Filter['matches'] {
    this.#expect('(');
    const name = this.#next();
    this.#check(name);
    this.#expect(',');
    const literal = this.#literal();
    if (typeof literal !== 'string') throw this.#invalid();
    const value = literal.toLowerCase();
    this.#expect(')');
    if (!atStart) this.#advanced = true;
    return (record) => {
      const text = record[name];
      if (typeof text !== 'string') return false;
      return atStart ? text.toLowerCase().startsWith(value) : text.toLowerCase().endsWith(value);
    };
  }

  /** `groupTypes/any(c:c eq 'Unified')` */
  #any(name: string): Filter['matches'] {
    this.#check(name);
    this.#expect('(');
    const variable = this.#next();
    this.#expect(':');
    if (this.#next() !== variable || this.#next().toLowerCase() !== 'eq') throw this.#invalid();
    const value = this.#literal();
    this.#expect(')');
    return (record) => {
      const list = record[name];
      return Array.isArray(list) && list.some((item: Json) => equal(item, value));
    };
  }

  #list(): Json[] {
    this.#expect('(');
    const values = [this.#literal()];
    while (this.#accept(',')) values.push(this.#literal());
    this.#expect(')');
    return values;
  }

  #literal(): Json {
    const token = this.#next();
    if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'");
    if (token === 'true' || token === 'false') return token === 'true';
    if (token === 'null') return null;
    throw this.#invalid();
  }

  #check(name: string): void {
    if (METADATA.property(this.#type, name) !== undefined) return;
    throw badRequest(
      `Invalid filter clause: Could not find a property named '${name}' on type 'microsoft.graph.${this.#type}'.`,
    );
  }

  #accept(token: string): boolean {
    if (this.#tokens[this.#at]?.toLowerCase() !== token) return false;
    this.#at += 1;
    return true;
  }

  #expect(token: string): void {
    if (!this.#accept(token)) throw this.#invalid();
  }

  #next(): string {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw this.#invalid();
    this.#at += 1;
    return token;
  }

  #invalid(): Error {
    return badRequest(`Invalid filter clause: Syntax error in '${this.#text}'.`);
  }
}

/** Texts are compared without case, as the directory does; null equals what was never set. */
function equal(actual: Json | undefined, wanted: Json): boolean {
  if (typeof actual === 'string' && typeof wanted === 'string') return actual.toLowerCase() === wanted.toLowerCase();
  return (actual ?? null) === wanted;
}
