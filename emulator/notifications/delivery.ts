import type { Random } from '../random.ts';
import type { NotificationSettings } from '../tenant-settings.ts';
import { SlowEndpoints } from './slow-endpoints.ts';

type Item = Readonly<Record<string, unknown>>;

export interface Outgoing {
  readonly url: string;
  readonly item: Item;
  readonly tenantId: string;
}

/** One attempt to deliver, or one that was not made. */
export interface DeliveryRecord {
  /** When the request was sent, milliseconds since 1970 on the machine's clock. */
  readonly at: number;
  readonly url: string;
  readonly tenants: readonly string[];
  readonly attempt: number;
  /** What the endpoint answered; `failed` for no answer in time, `dropped` where nothing was sent. */
  readonly result: number | 'failed' | 'dropped';
  readonly tookMs: number;
  readonly items: readonly { readonly subscriptionId: string; readonly id: string | null; readonly what: string }[];
}

interface Batch {
  readonly url: string;
  readonly outgoing: readonly Outgoing[];
  readonly firstAt: number;
  readonly retryMs: number;
  readonly slowDelayMs: number;
}

/** No 2xx in this time counts as none (reference, 6.3). */
const ANSWER_WITHIN_MS = 3_000;
const GIVE_UP_AFTER_MS = 4 * 3_600_000;
const KEPT_RECORDS = 5_000;
const MOST_ITEMS = 100;

/** Posts notifications: gathered by address, repeated with growing waits, penalised where the endpoint is slow. */
export class Delivery {
  readonly #waiting = new Map<string, Outgoing[]>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #slow = new SlowEndpoints();
  #records: DeliveryRecord[] = [];
  #life = 0;

  get records(): readonly DeliveryRecord[] {
    return this.#records;
  }

  /** What waits for the same address when the time comes goes in one request, whatever subscription or directory it is of. */
  send(outgoing: readonly Outgoing[], settings: NotificationSettings, shuffle?: Random): void {
    for (const one of outgoing) {
      const waiting = this.#waiting.get(one.url);
      if (waiting !== undefined) {
        const place = shuffle === undefined ? waiting.length : shuffle.int(waiting.length + 1);
        waiting.splice(place, 0, one);
        continue;
      }
      this.#waiting.set(one.url, [one]);
      this.#later(settings.latencyMs, () => this.#flush(one.url, settings));
    }
  }

  lost(url: string, items: readonly Item[], tenantId: string): void {
    const outgoing = items.map((item) => ({ url, item, tenantId }));
    this.#record(url, outgoing, { at: Date.now(), attempt: 0, result: 'dropped', tookMs: 0 });
  }

  forget(): void {
    this.#records = [];
  }

  /** Ends whatever waits; the emulator stops, or begins anew. */
  clear(): void {
    this.#life += 1;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#waiting.clear();
    this.#slow.clear();
    this.forget();
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  #flush(url: string, { retryMs, slowDelayMs }: NotificationSettings): void {
    const all = this.#waiting.get(url) ?? [];
    this.#waiting.delete(url);
    for (let from = 0; from < all.length; from += MOST_ITEMS) {
      const outgoing = all.slice(from, from + MOST_ITEMS);
      const batch = { url, outgoing, firstAt: Date.now(), retryMs, slowDelayMs };
      const state = this.#slow.stateOf(url);
      if (state === 'drop') this.#record(url, outgoing, { at: Date.now(), attempt: 0, result: 'dropped', tookMs: 0 });
      else if (state === 'slow') this.#later(slowDelayMs, () => void this.#post(batch, 1));
      else void this.#post(batch, 1);
    }
  }

  async #post(batch: Batch, attempt: number): Promise<void> {
    const { url, outgoing } = batch;
    const life = this.#life;
    const at = Date.now();
    const result = await postItems(url, outgoing);
    if (life !== this.#life) return;
    const tookMs = Date.now() - at;
    this.#slow.count(url, tookMs, outgoing.length);
    this.#record(url, outgoing, { at, attempt, result, tookMs });
    if (typeof result === 'number' && result >= 200 && result < 300) return;
    const slow = this.#slow.stateOf(url) !== 'good';
    const wait = slow ? batch.slowDelayMs : batch.retryMs * 2 ** (attempt - 1);
    if (Date.now() + wait - batch.firstAt > GIVE_UP_AFTER_MS) return;
    this.#later(wait, () => void this.#post(batch, attempt + 1));
  }

  #record(
    url: string,
    outgoing: readonly Outgoing[],
    outcome: Pick<DeliveryRecord, 'at' | 'attempt' | 'result' | 'tookMs'>,
  ): void {
    const items = outgoing.map(({ item }) => ({
      subscriptionId: String(item['subscriptionId']),
      id: objectIdOf(item),
      what: String(item['changeType'] ?? item['lifecycleEvent']),
    }));
    const tenants = [...new Set(outgoing.map(({ tenantId }) => tenantId))];
    this.#records.push({ url, tenants, items, ...outcome });
    if (this.#records.length > KEPT_RECORDS) this.#records = this.#records.slice(-KEPT_RECORDS / 2);
  }
}

async function postItems(url: string, outgoing: readonly Outgoing[]): Promise<number | 'failed'> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json; charset=utf-8' },
      body: JSON.stringify({ value: outgoing.map(({ item }) => item) }),
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 'failed';
  }
}

function objectIdOf(item: Item): string | null {
  const data = item['resourceData'];
  return typeof data === 'object' && data !== null && 'id' in data ? String(data.id) : null;
}
