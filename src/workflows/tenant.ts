import { allHandlersFinished, condition, continueAsNew, setHandler } from '@temporalio/workflow';
import { INTENT_KINDS } from '../domain/intent.ts';
import { applyIntent, requestRound, setPaused, takeHint } from '../domain/intent-effect.ts';
import type { TenantInput } from '../domain/tenant-workflow.ts';
import { followDirectory, settleHeld } from './follow-directory.ts';
import { hint, intentSignal, pause, resume, resync, status, syncNow } from './messages.ts';
import { stayRevoked } from './stay-revoked.ts';
import { Interrupted, TenantRun } from './tenant-run.ts';
import { verifyConsent } from './verify-consent.ts';

/**
 * The life of one tenant: consent, first sync, delta rounds, revocation, until it is deleted. It decides and waits;
 * activities do the work, and the database remembers. Handlers only change state and wake the loop.
 */
export async function tenantWorkflow(input: TenantInput): Promise<'deleted'> {
  const run = new TenantRun(input);
  const { state, tenantNo } = run;
  listen(run);
  for (;;) {
    if (state.deleting) {
      run.show('Is being deleted.');
      await run.subscriptions.end();
      await run.own.purgeTenant({ tenantNo });
      return 'deleted';
    }
    if (!(await run.recordNews())) continue;
    if (state.heldVerdict) {
      await settleHeld(run, state.heldVerdict);
      continue;
    }
    if (run.full) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof tenantWorkflow>(input);
    }
    try {
      await step(run);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
    }
  }
}

/** What the tenant's phase asks for now. */
async function step(run: TenantRun): Promise<void> {
  const { state } = run;
  if (state.paused) return run.waitUntil(Infinity, 'Paused by a person; the mirror stays as it is.');
  switch (state.phase) {
    case 'awaiting_consent':
      return run.waitUntil(Infinity, 'Waits for an administrator of the customer to consent.');
    case 'consented':
      return verifyConsent(run);
    case 'syncing':
    case 'delta_sync':
      return followDirectory(run);
    case 'revoked':
      return stayRevoked(run);
  }
}

/** Registers every handler, before the first wait. */
function listen(run: TenantRun): void {
  const { state, tenantNo } = run;
  for (const kind of INTENT_KINDS) {
    setHandler(intentSignal(kind), (message) => {
      // Another life of the same name: its messages are not ours.
      if (message.tenantNo !== tenantNo) return;
      applyIntent(state, kind, message);
      run.wake();
    });
  }
  setHandler(hint, (message) => {
    if (message.tenantNo === tenantNo && takeHint(state)) run.wake();
  });
  const updates = [
    { message: pause, change: () => setPaused(state, true), description: 'Stop fetching; the mirror stays.' },
    { message: resume, change: () => setPaused(state, false), description: 'Go on where it stood.' },
    { message: syncNow, change: () => requestRound(state, false), description: 'A delta round now.' },
    { message: resync, change: () => requestRound(state, true), description: 'A full round now.' },
  ];
  for (const { message, change, description } of updates) {
    const handle = () => {
      change();
      run.wake();
      return state;
    };
    setHandler(message, handle, { description });
  }
  setHandler(status, () => state);
}
