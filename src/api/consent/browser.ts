import { createHash, randomBytes } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';

/**
 * A random cookie that all tabs of a browser share: an answer of Microsoft's counts only in the browser that asked for it,
 * or anyone could make an administrator finish a consent that a stranger began.
 */
export interface Browser {
  readonly hash: Uint8Array;
  readonly setCookie: string;
}

const DAY_SECONDS = 86_400;

export const sha256 = (text: string): Uint8Array => createHash('sha256').update(text).digest();
export const unguessable = (): string => randomBytes(32).toString('base64url');

// The prefix is a promise that browsers hold only for Secure cookies, so plain http has to do without it.
const nameOf = (secure: boolean): string => `${secure ? '__Host-' : ''}entra-sync-browser`;
const isSecure = (publicUrl: string): boolean => publicUrl.startsWith('https:');

function secretOf(cookies: string | undefined, publicUrl: string): string | undefined {
  const value = parseCookie(cookies ?? '')[nameOf(isSecure(publicUrl))];
  return value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined;
}

/** The browser as its cookie says, or as a new one; the cookie is set again either way, for another day. */
export function rememberBrowser(cookies: string | undefined, publicUrl: string): Browser {
  const secure = isSecure(publicUrl);
  const value = secretOf(cookies, publicUrl) ?? unguessable();
  const setCookie = stringifySetCookie({
    name: nameOf(secure),
    value,
    httpOnly: true,
    sameSite: 'lax',
    secure,
    path: '/',
    maxAge: DAY_SECONDS,
  });
  return { hash: sha256(value), setCookie };
}

/** Of the browser that came back; one without our cookie is the same as another browser. */
export function browserHash(cookies: string | undefined, publicUrl: string): Uint8Array {
  return sha256(secretOf(cookies, publicUrl) ?? '');
}
