const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
/** What we add on the way back must not be there already. */
const OURS = ['code', 'state', 'error', 'error_description'];

/**
 * An address that a browser may be sent to, or undefined: https (http on loopback), no user, no fragment, and written
 * just as browsers read it. What they would silently mend (backslashes, tabs, a missing slash, upper case) is refused, so
 * that nobody reads it otherwise than it was compared.
 */
export function readReturnUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const safe = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
  if (!safe || url.username !== '' || url.password !== '' || text.includes('#')) return undefined;
  if (OURS.some((name) => url.searchParams.has(name))) return undefined;
  // An origin alone is the same without its slash.
  return url.href === text || url.href === `${text}/` ? url.href : undefined;
}

/** The whole address is compared and nothing else: a prefix would let an open redirect of the product's be used. */
export function allowedReturnUrl(asked: string | undefined, allowed: readonly string[]): string | undefined {
  const url = asked === undefined ? undefined : readReturnUrl(asked);
  return url !== undefined && allowed.includes(url) ? url : undefined;
}

/** The address with what is told on the way back. */
export function returnWith(returnTo: string, told: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(returnTo);
  for (const [name, value] of Object.entries(told)) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}
