import * as z from 'zod';
import { SEALED } from '../../domain/sealed.ts';
import type { ConsentAttempt, ConsentStep } from '../../store/face/consents.ts';
import type { TenantRow } from '../../store/face/tenants.ts';
import type { ApiDeps } from '../deps.ts';
import { rememberBrowser, sha256, unguessable, type Browser } from './browser.ts';

const ATTEMPT_MS = 3_600_000;

/** What a step hands to the next: sealed in the database, since it holds secrets and says who signed in. */
const carried = z.strictObject({
  /** By which address it began: whoever knows an environment's id alone is told less of it. */
  via: z.enum(['link', 'id']),
  /** Of the link: once it is replaced or revoked, what it began counts no more. */
  linkSerial: z.int().optional(),
  /** Groups to sync, as the administrator named them. */
  groups: z.array(z.string()).optional(),
  /** Of the proof. */
  secrets: z.strictObject({ verifier: z.string(), nonce: z.string() }).optional(),
  /** Who was proven to ask, and whether the product has to approve it. */
  proven: z
    .strictObject({ account: z.string().nullable(), name: z.string().nullable(), needsApproval: z.boolean() })
    .optional(),
});
export type Carried = z.infer<typeof carried>;

const contextOf = (stateHash: Uint8Array): string => SEALED.consent_attempt(Buffer.from(stateHash).toString('hex'));

/** A step that one answer in this browser ends, within an hour. */
export async function beginStep(
  step: ConsentStep,
  begun: {
    readonly tenantNo: number;
    readonly entraTenant: string | null;
    readonly carried: object;
    readonly state?: string;
  },
  cookies: string | undefined,
  { store, sealer, config }: Pick<ApiDeps, 'store' | 'sealer' | 'config'>,
): Promise<{ readonly state: string; readonly browser: Browser }> {
  const { tenantNo, entraTenant, state = unguessable() } = begun;
  const stateHash = sha256(state);
  const browser = rememberBrowser(cookies, config.publicUrl);
  const sealed = sealer.seal(JSON.stringify(begun.carried), contextOf(stateHash));
  const attempt = { tenantNo, step, browserHash: browser.hash, entraTenant, sealed };
  await store.consents.begin(stateHash, attempt, new Date(Date.now() + ATTEMPT_MS));
  return { state, browser };
}

/** What a step carried, whatever kind it is of; null where it carried nothing. */
export function openSealed(attempt: ConsentAttempt, state: string, { sealer }: Pick<ApiDeps, 'sealer'>): unknown {
  return attempt.sealed === null ? null : JSON.parse(sealer.open(attempt.sealed, contextOf(sha256(state))));
}

/** The link by which it began leads nowhere any more. */
export const cameByOldLink = ({ linkSerial }: Carried, tenant: Pick<TenantRow, 'linkSerial'>): boolean =>
  linkSerial !== undefined && linkSerial !== tenant.linkSerial;

export function openCarried(attempt: ConsentAttempt, state: string, deps: Pick<ApiDeps, 'sealer'>): Carried {
  const opened = openSealed(attempt, state, deps);
  return opened === null ? { via: 'link' } : carried.parse(opened);
}
