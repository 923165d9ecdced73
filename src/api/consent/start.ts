import type { TenantRow } from '../../store/face/tenants.ts';
import type { ApiDeps } from '../deps.ts';
import { redirect, type Reply } from '../reply.ts';
import { beginStep, type Carried } from './attempt.ts';

export const callbackUrlOf = (publicUrl: string): string => `${publicUrl}/consent/callback`;

/** Sends the browser to Microsoft with a state of its own, good for one answer within an hour. */
export async function startConsent(
  tenant: TenantRow,
  carried: Carried,
  cookies: string | undefined,
  deps: ApiDeps,
): Promise<Reply<never>> {
  const begun = { tenantNo: tenant.no, entraTenant: null, carried };
  const { state, browser } = await beginStep('consent', begun, cookies, deps);
  const directory = tenant.expectedEntraTenant ?? tenant.entraTenantId;
  const url = deps.graph.adminConsentUrl({
    ...(directory === null ? {} : { entraTenant: directory }),
    redirectUri: callbackUrlOf(deps.config.publicUrl),
    state,
  });
  return redirect(302, url, { 'Set-Cookie': browser.setCookie });
}
