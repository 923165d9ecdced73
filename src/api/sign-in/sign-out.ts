import { parseCookie, stringifySetCookie } from 'cookie';
import type { ApiDeps } from '../deps.ts';
import { redirect, type Reply } from '../reply.ts';
import type { Caller } from '../route.ts';
import { tenantId } from '../schemas/tenant.ts';
import { allowedReturnUrl } from './return-url.ts';
import { signInCallbackOf } from './start.ts';
import type { SignInTarget } from './with-sign-in.ts';

const MAX_AGE_SECONDS = 600;

const isSecure = (publicUrl: string): boolean => publicUrl.startsWith('https:');
const nameOf = (publicUrl: string): string => `${isSecure(publicUrl) ? '__Host-' : ''}entra-sync-signed-out`;

function cookie(publicUrl: string, value: string, maxAge: number): string {
  const secure = isSecure(publicUrl);
  return stringifySetCookie({
    name: nameOf(publicUrl),
    value,
    httpOnly: true,
    sameSite: 'lax',
    secure,
    path: '/',
    maxAge,
  });
}

/**
 * Ends the browser's session at Microsoft. It comes back to our callback, which is registered there as the product's address
 * is not, and promises to bring nothing along: a cookie says where to go on.
 */
export function signOut({ tenant, entraTenant, returnTo }: SignInTarget, { graph, config }: ApiDeps): Reply<never> {
  const url = graph.endSessionUrl({ entraTenant, redirectUri: signInCallbackOf(config.publicUrl) });
  const value = Buffer.from(JSON.stringify([tenant.id, returnTo])).toString('base64url');
  return redirect(302, url, { 'Set-Cookie': cookie(config.publicUrl, value, MAX_AGE_SECONDS) });
}

/** Where a browser that was signed out goes on, held against the list once more; undefined where it was not sent by us. */
export async function afterSignOut(
  caller: Caller,
  { store, config }: Pick<ApiDeps, 'store' | 'config'>,
): Promise<Reply<never> | undefined> {
  const value = parseCookie(caller.cookies ?? '')[nameOf(config.publicUrl)];
  const [id, returnTo] = read(value ?? '');
  const given = tenantId.safeParse(id);
  const tenant = given.success ? await store.tenants.byId(given.data) : undefined;
  const target = tenant && allowedReturnUrl(returnTo, tenant.signIn.returnUrls);
  if (target === undefined) return undefined;
  return redirect(302, target, { 'Set-Cookie': cookie(config.publicUrl, '', 0) });
}

function read(value: string): readonly (string | undefined)[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(value, 'base64url').toString('utf8'));
    return Array.isArray(parsed) ? parsed.map((one: unknown) => (typeof one === 'string' ? one : undefined)) : [];
  } catch {
    return [];
  }
}
