import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from '../domain/names.ts';
import { describeProblem, isBlocking } from '../domain/problem.ts';
import { tenantState } from '../domain/tenant.ts';
import type { TenantWorkflowState } from '../domain/tenant-workflow.ts';

const STATE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.state, SearchAttributeType.KEYWORD);
const PROBLEM = defineSearchAttributeKey(SEARCH_ATTRIBUTES.problem, SearchAttributeType.KEYWORD);

export function stateOf(state: TenantWorkflowState): string {
  const problem = state.problem && { blocking: isBlocking(state.problem.code) };
  return tenantState({ phase: state.phase, paused: state.paused, problem });
}

/** Shows the tenant to operators. Search attributes cost a write each, so they are set on a change only. */
export function createPresentation(): (state: TenantWorkflowState, doing: string) => void {
  let shown = '';
  return (state, doing) => {
    const word = stateOf(state);
    const problem = state.problem?.code ?? null;
    if (shown !== `${word}|${problem}`) {
      upsertSearchAttributes([
        { key: STATE, value: word },
        { key: PROBLEM, value: problem },
      ]);
      shown = `${word}|${problem}`;
    }
    setCurrentDetails(details(state, doing));
  };
}

function details(state: TenantWorkflowState, doing: string): string {
  const lines = [`**${stateOf(state)}** ${doing}`];
  if (state.lastRound) {
    const { completedAt, kind, changes } = state.lastRound;
    lines.push(`- The last ${kind} round ended ${iso(completedAt)} with ${changes} changes.`);
  }
  if (state.problem) {
    const problem = describeProblem(state.problem);
    lines.push(`- **${problem.title}** since ${problem.since}. Who must act: ${problem.who}.`);
    lines.push(...problem.steps.map((step) => `  - ${step}`));
    if (problem.requestId !== undefined) lines.push(`- Microsoft's request id: ${problem.requestId}`);
  }
  return lines.join('\n');
}

export function iso(at: number): string {
  return new Date(at).toISOString();
}
