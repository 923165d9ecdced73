import { SEALED } from '../domain/sealed.ts';
import type { ActivityDeps } from './deps.ts';

/** Less than this is not worth beginning a slice with. */
const SHORTEST_LIFE_MS = 60_000;

export interface StoredToken {
  readonly accessToken: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** A token as all workers share it, and until when Microsoft asked that nothing is asked of it; 0 where it did not. */
export interface UsableToken extends StoredToken {
  readonly throttledUntil: number;
}

export async function storeToken(
  { store, sealer }: Pick<ActivityDeps, 'store' | 'sealer'>,
  tenantNo: number,
  token: StoredToken,
): Promise<void> {
  await store.tokens.put(
    tenantNo,
    sealer.seal(token.accessToken, SEALED.tenant_token(tenantNo)),
    new Date(token.expiresAt),
  );
}

/** The tenant's token, undefined where there is none that will last. */
export async function readToken(
  { store, sealer, clock, log }: Pick<ActivityDeps, 'store' | 'sealer' | 'clock' | 'log'>,
  tenantNo: number,
): Promise<UsableToken | undefined> {
  const stored = await store.tokens.get(tenantNo);
  const expiresAt = stored?.expiresAt.getTime() ?? 0;
  if (!stored || expiresAt - clock.now() < SHORTEST_LIFE_MS) return undefined;
  try {
    const throttledUntil = stored.throttledUntil?.getTime() ?? 0;
    return { accessToken: sealer.open(stored.sealed, SEALED.tenant_token(tenantNo)), expiresAt, throttledUntil };
  } catch (error) {
    // A key that was taken out of ENCRYPTION_KEYS costs one token request, no more.
    log.warn({ tenantNo, why: error instanceof Error ? error.message : 'unknown' }, 'A stored token does not open');
    return undefined;
  }
}

/** Graph refused this token: no worker may try it again. A newer one, put there meanwhile, stays. */
export async function expireToken(
  { store }: Pick<ActivityDeps, 'store'>,
  tenantNo: number,
  token: StoredToken,
): Promise<void> {
  const stored = await store.tokens.get(tenantNo);
  if (stored?.expiresAt.getTime() === token.expiresAt) await store.tokens.put(tenantNo, stored.sealed, new Date(0));
}
