import { REQUIRED_PERMISSIONS } from '../domain/names.ts';
import { failureOf } from './failures.ts';
import { iso } from './presentation.ts';
import type { TenantRun } from './tenant-run.ts';

/**
 * A revoked tenant: nobody is told of its directory any more, its data is purged when its time has come, and where it was
 * Microsoft that refused us, the directory may give consent again without coming by our link.
 */
export async function stayRevoked(run: TenantRun): Promise<void> {
  const { state, own, tenantNo, policy } = run;
  if (state.subscribed) run.subscriptions.tend();
  const { dueAt } = await own.purgeRevoked({ tenantNo });
  // A problem stands where Microsoft refused us. What the product revoked stays so until somebody consents.
  const lookAt = state.problem === null ? Infinity : Date.now() + policy.lookAgainMs;
  const kept = dueAt === null ? 'nothing of its directory is kept' : `its mirror is kept until ${iso(dueAt)}`;
  await run.waitUntil(Math.min(lookAt, dueAt ?? Infinity), `Consent is withdrawn; ${kept}.`);
  if (lookAt <= Date.now()) await lookAgain(run);
}

async function lookAgain(run: TenantRun): Promise<void> {
  try {
    const { missing } = await run.graph.refreshToken({ tenantNo: run.tenantNo });
    if (REQUIRED_PERMISSIONS.every((permission) => missing.includes(permission))) return;
  } catch (error) {
    failureOf(error);
    return;
  }
  // A message that came meanwhile may have changed what is true.
  if (run.state.phase === 'revoked' && run.state.problem !== null) run.regain();
}
