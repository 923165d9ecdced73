/** An answer later than this counts as slow (reference, 6.3). */
const SLOW_MS = 2_900;
const COUNTED_FROM = 100;
const SLOW_SHARE = 0.1;
const DROP_SHARE = 0.15;
const FLUSH_MS = 10 * 60_000;

interface Count {
  readonly since: number;
  delivered: number;
  slow: number;
}

/** How hosts answer: those that take long are told late, and then not at all. */
export class SlowEndpoints {
  readonly #counts = new Map<string, Count>();

  count(url: string, tookMs: number, notifications: number): void {
    const count = this.#countOf(url);
    count.delivered += notifications;
    if (tookMs > SLOW_MS) count.slow += notifications;
  }

  stateOf(url: string): 'good' | 'slow' | 'drop' {
    const { delivered, slow } = this.#countOf(url);
    if (delivered < COUNTED_FROM) return 'good';
    const share = slow / delivered;
    return share >= DROP_SHARE ? 'drop' : share >= SLOW_SHARE ? 'slow' : 'good';
  }

  clear(): void {
    this.#counts.clear();
  }

  #countOf(url: string): Count {
    const { host } = new URL(url);
    const known = this.#counts.get(host);
    if (known !== undefined && Date.now() - known.since < FLUSH_MS) return known;
    const fresh = { since: Date.now(), delivered: 0, slow: 0 };
    this.#counts.set(host, fresh);
    return fresh;
  }
}
