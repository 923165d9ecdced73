import type { TenantRow } from '../../store/store.ts';
import type { ApiDeps } from '../deps.ts';
import { redirect, type Reply } from '../reply.ts';
import { rememberBrowser, sha256, unguessable } from './browser.ts';

export const ATTEMPT_MS = 3_600_000;

export const callbackUrlOf = (publicUrl: string): string => `${publicUrl}/consent/callback`;

/** Sends the browser to Microsoft with a state of its own, good for one answer within an hour. */
export async function startConsent(
  tenant: TenantRow,
  cookies: string | undefined,
  { store, graph, config }: ApiDeps,
): Promise<Reply<never>> {
  const state = unguessable();
  const browser = rememberBrowser(cookies, config.publicUrl);
  await store.consents.begin(
    sha256(state),
    { tenantNo: tenant.no, step: 'consent', browserHash: browser.hash, entraTenant: null, sealed: null },
    new Date(Date.now() + ATTEMPT_MS),
  );
  const directory = tenant.expectedEntraTenant ?? tenant.entraTenantId;
  const url = graph.adminConsentUrl({
    ...(directory === null ? {} : { entraTenant: directory }),
    redirectUri: callbackUrlOf(config.publicUrl),
    state,
  });
  return redirect(302, url, { 'Set-Cookie': browser.setCookie });
}
