import type { IntentKind, IntentMessage } from './intent.ts';
import { nextPhase } from './tenant.ts';
import type { TenantWorkflowState } from './tenant-workflow.ts';

const REMEMBERED_INTENTS = 50;

/**
 * Applies a wish of the API to the workflow's state, and says whether it is news. A repeated intent is only ticked again;
 * of two contrary ones (pause and resume, consent and revoke) the later-made holds, whichever arrives last.
 */
export function applyIntent(state: TenantWorkflowState, kind: IntentKind, message: IntentMessage): boolean {
  state.untold.push(message.intentId);
  if (state.seen.includes(message.intentId)) return false;
  state.seen = [...state.seen, message.intentId].slice(-REMEMBERED_INTENTS);
  switch (kind) {
    case 'start':
      return false;
    case 'pause':
    case 'resume':
      if (message.seq < state.flagSeq) return false;
      state.flagSeq = message.seq;
      return setPaused(state, kind === 'pause');
    case 'consent':
      if (message.seq < state.grantSeq) return false;
      state.grantSeq = message.seq;
      return grantConsent(state);
    case 'revoke':
      if (message.seq < state.grantSeq) return false;
      state.grantSeq = message.seq;
      return revoke(state);
    case 'sync':
      // Whoever granted what was missing need not wait until the token is an hour old.
      if (state.missing) state.tokenExpiresAt = 0;
      return requestRound(state, false);
    case 'settings':
      // Other permissions may be needed now than the last token was judged by.
      state.tokenExpiresAt = 0;
      return requestRound(state, false);
    case 'resync':
      return requestRound(state, true);
    case 'approve_held':
    case 'reject_held':
      if (message.seq < state.heldSeq) return false;
      state.heldSeq = message.seq;
      state.heldVerdict = kind === 'approve_held' ? 'approve' : 'reject';
      return true;
    case 'delete':
      state.deleting = true;
      return true;
  }
}

export function setPaused(state: TenantWorkflowState, paused: boolean): boolean {
  const news = state.paused !== paused;
  state.paused = paused;
  // What changed in the meantime should not wait for the interval as well.
  if (!paused) state.nextRoundAt = 0;
  return news;
}

export function revoke(state: TenantWorkflowState): boolean {
  const news = state.phase !== 'revoked';
  state.phase = nextPhase(state.phase, 'consent_lost');
  state.problem = null;
  state.round = null;
  state.tokenExpiresAt = 0;
  return news;
}

export function requestRound(state: TenantWorkflowState, full: boolean): boolean {
  if (full) state.resync = true;
  else state.syncNow = true;
  state.nextRoundAt = 0;
  return true;
}

/** Takes the news of a change in, and says whether a wait must look at it: none that Microsoft or a failure demands. */
export function takeHint(state: TenantWorkflowState): boolean {
  const news = !state.hinted && state.round === null && state.failures === 0;
  state.hinted = true;
  return news;
}

/** Consent, given for the first time or again: whatever stood in the way is looked at afresh. */
export function grantConsent(state: TenantWorkflowState): boolean {
  state.phase = nextPhase(state.phase, 'consent_granted');
  state.tokenExpiresAt = 0;
  state.problem = null;
  state.failures = 0;
  state.verifyingSince = null;
  state.refusedSince = null;
  state.nextRoundAt = 0;
  return true;
}
