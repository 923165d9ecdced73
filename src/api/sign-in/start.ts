import * as z from 'zod';
import { beginStep } from '../consent/attempt.ts';
import { unguessable } from '../consent/browser.ts';
import type { ApiDeps } from '../deps.ts';
import { redirect, type Reply } from '../reply.ts';
import type { SignInTarget } from './with-sign-in.ts';

export const signInCallbackOf = (publicUrl: string): string => `${publicUrl}/signin/callback`;

export const signInCarried = z.strictObject({
  verifier: z.string(),
  nonce: z.string(),
  returnTo: z.string(),
  /** The product's own, handed back as it came. */
  productState: z.string().optional(),
});
export type Carried = z.infer<typeof signInCarried>;

export interface SignInWish {
  readonly productState: string | undefined;
  readonly prompt: 'login' | 'select_account' | undefined;
}

/** Sends the browser to sign in at the directory of the environment and no other, with a state of its own. */
export async function startSignIn(
  { tenant, entraTenant, returnTo }: SignInTarget,
  { productState, prompt }: SignInWish,
  cookies: string | undefined,
  deps: ApiDeps,
): Promise<Reply<never>> {
  const state = unguessable();
  const { url, verifier, nonce } = await deps.graph.beginProof({
    entraTenant,
    redirectUri: signInCallbackOf(deps.config.publicUrl),
    state,
    ...(prompt === undefined ? {} : { prompt }),
  });
  const carried: Carried = { verifier, nonce, returnTo, ...(productState === undefined ? {} : { productState }) };
  const { browser } = await beginStep('signin', { tenantNo: tenant.no, entraTenant, carried, state }, cookies, deps);
  return redirect(302, url, { 'Set-Cookie': browser.setCookie });
}
