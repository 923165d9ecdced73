import { CancellationScope, condition, isCancellation, patched, workflowInfo } from '@temporalio/workflow';
import type { TokenReport } from '../domain/activities.ts';
import { grantConsent, revoke } from '../domain/intent-effect.ts';
import { isBlocking, type ProblemRecord } from '../domain/problem.ts';
import { nextPhase, type PhaseEvent } from '../domain/tenant.ts';
import {
  retryWaitMs,
  standingProblem,
  TENANT_POLICY,
  type TenantInput,
  type TenantPolicy,
  type TenantWorkflowState,
} from '../domain/tenant-workflow.ts';
import { graphActivities, ownActivities } from './activities.ts';
import { isRefusal, problemOf, type Failure } from './failures.ts';
import { createPresentation, iso } from './presentation.ts';
import { createReconciler } from './reconciler.ts';
import { createSubscriptionKeeper, notificationsProblem } from './subscriptions.ts';

/** Events of one run that are too many to replay on every wake. */
const EVENTS_PER_RUN = 1_000;

/** Why a piece of work was cut short: something happened that the main loop must look at first. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** One run of a tenant's workflow: its state, its activities, and how it waits, records and fails. */
export class TenantRun {
  readonly tenantNo: number;
  readonly state: TenantWorkflowState;
  readonly policy: TenantPolicy;
  readonly own = ownActivities();
  readonly graph;
  readonly subscriptions;
  readonly reconciler;
  /** Rounds completed in this run. */
  rounds = 0;
  readonly #show = createPresentation();
  readonly #root = CancellationScope.current();
  #work: CancellationScope | undefined;
  #news = 0;
  #looked = 0;
  #recorded = '';

  constructor({ tenantNo, state, policy }: TenantInput) {
    this.tenantNo = tenantNo;
    this.state = state;
    this.policy = { ...TENANT_POLICY, ...policy };
    this.graph = graphActivities(tenantNo);
    this.reconciler = createReconciler(() => this.graph.reconcileSlice({ tenantNo }));
    this.subscriptions = createSubscriptionKeeper(
      state,
      () => this.graph.keepSubscriptions({ tenantNo }),
      () => this.wake(),
    );
  }

  get halted(): boolean {
    return this.state.paused || this.state.deleting || this.state.phase === 'revoked';
  }

  /** Time to continue as new: what a cache miss must replay stays short. */
  get full(): boolean {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    const long = this.rounds >= this.policy.roundsPerRun || continueAsNewSuggested || historyLength > EVENTS_PER_RUN;
    return long && !this.subscriptions.busy() && !this.reconciler.busy();
  }

  /** Something changed the state: waits look again, and work that may not go on is cut short. */
  wake(): void {
    this.#news++;
    if (this.halted) this.#work?.cancel();
  }

  show(doing: string): void {
    this.#show(this.state, doing);
  }

  /** Waits until the time comes, or until a message comes that the loop has not looked at. */
  async waitUntil(at: number, doing: string): Promise<void> {
    this.show(doing);
    if (at === Infinity) await condition(() => this.#news !== this.#looked);
    else if (at > Date.now()) await condition(() => this.#news !== this.#looked, at - Date.now());
    this.#looked = this.#news;
  }

  /** Runs Graph work in a scope of its own, which a pause, a revocation or a deletion cuts short. */
  async interruptible<T>(task: () => Promise<T>): Promise<T> {
    if (this.halted) throw new Interrupted();
    this.#work = new CancellationScope();
    try {
      return await this.#work.run(task);
    } catch (error) {
      if (isCancellation(error) && !this.#root.consideredCancelled) throw new Interrupted();
      throw error;
    } finally {
      this.#work = undefined;
    }
  }

  /**
   * Makes the database say what was decided, before the work of the decision begins; only if there is something new.
   * False where news came meanwhile: they are written first.
   */
  async recordNews(): Promise<boolean> {
    this.#looked = this.#news;
    await this.record();
    return this.#news === this.#looked;
  }

  async record(): Promise<void> {
    const { phase, paused, problem, untold } = this.state;
    const decided = { phase, paused, problem };
    const key = JSON.stringify(decided);
    if (key === this.#recorded && untold.length === 0) return;
    const taken = untold.splice(0);
    await this.own.recordState({ tenantNo: this.tenantNo, ...decided, taken });
    this.#recorded = key;
  }

  moveBy(event: PhaseEvent): void {
    this.state.phase = nextPhase(this.state.phase, event);
  }

  raise(problem: Omit<ProblemRecord, 'since'>): void {
    const { state } = this;
    // What passes by itself does not hide that a person must decide.
    if (standingProblem(state) !== null && !isBlocking(problem.code)) return;
    const since = state.problem?.code === problem.code ? state.problem.since : iso(Date.now());
    state.problem = { ...problem, since };
  }

  /** A failed step: says what stands in the way, and sets when it is tried again. */
  fail(failure: Failure): void {
    const { state, policy } = this;
    state.failures++;
    state.nextRoundAt = Date.now() + retryWaitMs(state.failures, policy);
    this.raise(problemOf(failure));
    if (!isRefusal(failure)) return;
    // Once it can be Microsoft's replication; a second time, later, it is a revocation.
    state.refusedSince ??= Date.now();
    if (Date.now() - state.refusedSince < policy.secondLookMs) return;
    const { problem } = state;
    revoke(state);
    state.problem = problem;
  }

  /** One feed is refused and the other goes on: a round is well, and yet a person must act. */
  raiseSetAside(problem: Omit<ProblemRecord, 'since'>, before: ProblemRecord | null): void {
    const since = before?.code === problem.code ? before.since : iso(Date.now());
    // What is quoted of the refusal says more than that the token lacks something.
    const { state } = this;
    if (state.problem === null || state.problem.code === problem.code) state.problem = { ...problem, since };
  }

  clearFailures(): void {
    const { state, policy } = this;
    state.failures = 0;
    state.refusedSince = null;
    state.problem = standingProblem(state) ?? notificationsProblem(state, policy, Date.now());
  }

  /** The directory honours us again, though nobody came by our link: verified like any consent, it goes on where it stood. */
  regain(): void {
    grantConsent(this.state);
  }

  noteMissing(names: readonly string[]): void {
    const { state } = this;
    const since = state.missing?.since ?? iso(Date.now());
    state.missing = names.length === 0 ? null : { names, since };
  }

  /** How long the token lasts; still 0 where a newer one was asked for while this one was in use, or on its way. */
  noteToken(expiresAt: number): void {
    const { state } = this;
    if (state.tokenExpiresAt !== 0 || !patched('newer-token-asked-for')) state.tokenExpiresAt = expiresAt;
  }

  async refreshToken(): Promise<TokenReport> {
    // What is asked for from here on is asked for anew.
    this.state.tokenExpiresAt ||= Date.now();
    const report = await this.interruptible(() => this.graph.refreshToken({ tenantNo: this.tenantNo }));
    this.noteToken(report.expiresAt);
    this.noteMissing(report.missing);
    return report;
  }
}
