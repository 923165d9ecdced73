import { formatGuid, hash32, mix32 } from '../random.ts';
import { OBJECT_KINDS, type ObjectRef } from './object-ref.ts';

const MULTIPLIER = 0x9e3779b1;
// MULTIPLIER times this is 1 modulo 2^32.
const INVERSE = modularInverse(MULTIPLIER);
const HIGHEST_REF = OBJECT_KINDS.length * 2 ** 28;
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Gives each object a GUID from which its place can be computed again. A directory of a million users therefore needs
 * neither a list of ids nor a map from id to object.
 */
export class ObjectIds {
  readonly #key: number;
  readonly #given = new Map<string, ObjectRef>();
  readonly #givenIds = new Map<ObjectRef, string>();

  constructor(seed: number) {
    this.#key = mix32(seed);
  }

  idOf(ref: ObjectRef): string {
    return this.#givenIds.get(ref) ?? this.#computed(ref);
  }

  refOf(id: string): ObjectRef | undefined {
    const wanted = id.toLowerCase();
    const given = this.#given.get(wanted);
    if (given !== undefined) return given;
    if (!GUID.test(wanted)) return undefined;
    const ref = this.#unscramble(Number.parseInt(wanted.slice(0, 8), 16));
    if (ref >= HIGHEST_REF || this.#givenIds.has(ref)) return undefined;
    return this.#computed(ref) === wanted ? ref : undefined;
  }

  /** Binds an id that a test chose to an object. */
  give(ref: ObjectRef, id: string): void {
    this.#given.set(id.toLowerCase(), ref);
    this.#givenIds.set(ref, id.toLowerCase());
  }

  #computed(ref: ObjectRef): string {
    return formatGuid(
      this.#scramble(ref),
      hash32(this.#key, ref, 1),
      hash32(this.#key, ref, 2),
      hash32(this.#key, ref, 3),
    );
  }

  #scramble(ref: number): number {
    const x = Math.imul(ref ^ this.#key, MULTIPLIER);
    return Math.imul(x ^ (x >>> 16), MULTIPLIER) >>> 0;
  }

  #unscramble(word: number): number {
    const x = Math.imul(word, INVERSE);
    return (Math.imul(x ^ (x >>> 16), INVERSE) ^ this.#key) >>> 0;
  }
}

/** Newton's iteration: each step doubles the number of correct low bits. */
function modularInverse(odd: number): number {
  let x = odd;
  for (let i = 0; i < 5; i += 1) x = Math.imul(x, 2 - Math.imul(odd, x));
  return x;
}
