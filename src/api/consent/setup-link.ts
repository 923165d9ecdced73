import type { Sealer } from '../../crypto/sealer.ts';
import type { TenantRow } from '../../store/face/tenants.ts';
import type { ApiDeps } from '../deps.ts';

/**
 * A set-up link names a tenant by number, the serial of its links, and the day on which it ends, all signed.
 * Opening it uses nothing up: mail scanners open links too. The expiry is a whole day, so that the link that
 * the API shows stays the same all day long.
 */
export interface SetupLink {
  readonly tenantNo: number;
  readonly serial: number;
  readonly lastDay: number;
}

export const SETUP_LINK_DAYS = 30;
const DAY_MS = 86_400_000;
const PURPOSE = 'setup-link';

const dayOf = (now: Date): number => Math.floor(now.getTime() / DAY_MS);

export function setupTokenOf(tenant: Pick<TenantRow, 'no' | 'linkSerial'>, sealer: Sealer, now: Date): string {
  const message = [tenant.no, tenant.linkSerial, dayOf(now) + SETUP_LINK_DAYS].map((n) => n.toString(36)).join('.');
  // The signature stands first: its last character may be a dash, which mail programs leave out of a link at its end.
  return `${sealer.sign(PURPOSE, message)}.${message}`;
}

/** Null where the link was revoked. */
export function setupUrlOf(
  tenant: Pick<TenantRow, 'no' | 'linkSerial' | 'linkRevoked'>,
  deps: Pick<ApiDeps, 'sealer' | 'config'>,
  now: Date,
): string | null {
  if (tenant.linkRevoked) return null;
  return `${deps.config.publicUrl}/connect/${setupTokenOf(tenant, deps.sealer, now)}`;
}

/** What a token says, if we signed it and its last day has not passed. */
export function readSetupToken(token: string, sealer: Sealer, now: Date): SetupLink | 'forged' | 'expired' {
  const parts = /^([\w-]{20,200})\.(([0-9a-z]{1,7})\.([0-9a-z]{1,7})\.([0-9a-z]{1,7}))$/.exec(token);
  const [, signature, message, no, serial, day] = parts ?? [];
  if (!signature || !message || !no || !serial || !day) return 'forged';
  if (!sealer.verify(PURPOSE, message, signature)) return 'forged';
  const lastDay = Number.parseInt(day, 36);
  if (dayOf(now) > lastDay) return 'expired';
  return { tenantNo: Number.parseInt(no, 36), serial: Number.parseInt(serial, 36), lastDay };
}
