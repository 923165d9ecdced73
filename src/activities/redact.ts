/** Takes out of a text what no log may hold: tokens, links, secrets, addresses, and values that a database quotes. */
export function redact(text: string): string {
  return text
    .replace(/\beyJ[\w-]{5,}(\.[\w-]*){0,2}/g, '[token]')
    .replace(/\bbearer\s+\S+/gi, 'Bearer [token]')
    .replace(/\b(https?:\/\/[^\s/?#"']+)[^\s"']*/gi, '$1/[link]')
    .replace(/\b(client_secret|client_assertion|password|code|access_token|refresh_token)=[^&\s"']+/gi, '$1=[secret]')
    .replace(/[^\s"'<>()=:,]+@[\w-]+(\.[\w-]+)+/g, '[address]')
    .replace(/: "(?:[^"\\]|\\.)*"/g, ': "[value]"')
    .replace(/\)=\(.*\)/g, ')=([value])');
}

/** An error as it may be logged: its kind, its code and where it came from. */
export function describeError(error: unknown): {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
  readonly at?: string;
} {
  if (!(error instanceof Error)) return { name: 'unknown', message: `a ${typeof error} was thrown` };
  const code = codeOf(error);
  // The stack begins with the message, more than once where causes are chained: only the frames are kept.
  const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    message: redact(error.message),
    ...(frames.length > 0 ? { at: frames.slice(0, 12).join('\n') } : {}),
  };
}

/** A short machine word such as ECONNREFUSED or 57P01, else undefined. */
export function codeOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) ? code : undefined;
}
