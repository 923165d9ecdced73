/** Murmur3's finaliser: every bit of the input moves every bit of the output. */
export function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A 32-bit hash of a few numbers; the same numbers give the same hash in every run. */
export function hash32(...parts: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const part of parts) h = mix32(h ^ mix32(part + 0x7f4a7c15));
  return h;
}

/** FNV-1a over the UTF-16 units of a text. */
export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** A GUID in version 4 form made of three lanes of a hash behind a first word that the caller chooses. */
export function formatGuid(word0: number, word1: number, word2: number, word3: number): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  return `${hex(word0 >>> 0, 8)}-${hex(word1 >>> 16, 4)}-4${hex(word1 & 0xfff, 3)}-${hex(((word2 >>> 16) & 0x3fff) | 0x8000, 4)}-${hex(word2 & 0xffff, 4)}${hex(word3 >>> 0, 8)}`;
}

/** A GUID that depends on nothing but the numbers given. */
export function guidFrom(...parts: readonly number[]): string {
  const lane = (n: number): number => hash32(n, ...parts);
  return formatGuid(lane(1), lane(2), lane(3), lane(4));
}

/** A seeded stream of random numbers (mulberry32): the emulator never uses Math.random for what it shows. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = mix32(seed);
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number in [0, limit). */
  int(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.int(items.length)] ?? items[0];
  }

  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i -= 1) {
      const j = this.int(i + 1);
      const a = items[i];
      const b = items[j];
      if (a === undefined || b === undefined) continue;
      items[i] = b;
      items[j] = a;
    }
    return items;
  }
}
