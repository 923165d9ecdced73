/** Unknown JSON is looked at through these, so that a surprising shape is a missing value and never a crash. */
export type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text as JSON, or undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    // Graph puts a byte order mark before a count.
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown;
  } catch {
    return undefined;
  }
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
