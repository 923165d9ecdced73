export interface TenantSummary {
  readonly id: string;
  readonly state: string;
  readonly setupUrl: string | null;
  readonly asOf: string | null;
  readonly counts: { readonly users: number; readonly groups: number; readonly memberships: number };
  readonly problem: { readonly title: string; readonly who: string; readonly steps: readonly string[] } | null;
}

/** A tenant in a line, and below it what stands in the way and who can remove it. */
export function tenantLine({ id, state, asOf, counts, problem }: TenantSummary): string {
  const amounts = `${counts.users} users, ${counts.groups} groups, ${counts.memberships} memberships`;
  const line = `${id.padEnd(24)} ${state.padEnd(16)} ${amounts}, ${asOf === null ? 'never synced' : `as of ${asOf}`}`;
  if (!problem) return line;
  return [line, `  ${problem.title} (${problem.who})`, ...problem.steps.map((step) => `  - ${step}`)].join('\n');
}
