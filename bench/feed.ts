import { setTimeout as sleep } from 'node:timers/promises';
import { createLog } from '../src/log.ts';
import { openStore } from '../src/store/open.ts';
import type { Store } from '../src/store/store.ts';
import { createDatabase, settle, versionOf } from './database.ts';
import { ratio, spreadOf, type Spread } from './figures.ts';
import type { BenchOptions, DatabaseKind } from './options.ts';
import { EVENTS_A_ROUND, PageWriter } from './page-writer.ts';
import { progress } from './progress.ts';
import type { Stage } from './stage.ts';

/** How many events a second come into the feed, through its one row, while somebody reads along. */
export interface FeedFigures {
  readonly database: string;
  readonly eventsEach: number;
  readonly runs: number;
  /** Events a second. */
  readonly alone: Spread;
  readonly together: Spread;
  readonly togetherToAlone: number;
  /** Events that the reader saw: in order, none missing, none twice. */
  readonly checked: number;
}

const WRITERS = 8;
const ROUNDS_EACH = 2;
const EVENTS_EACH = ROUNDS_EACH * EVENTS_A_ROUND;

export async function measureFeed(stage: Stage, kind: DatabaseKind, { runs }: BenchOptions): Promise<FeedFigures> {
  const database = await createDatabase(kind, stage);
  const store = await openStore({
    databaseUrl: kind === 'postgres' ? database.url : undefined,
    dataDir: database.dataDir,
    log: createLog('warn'),
    maxConnections: WRITERS + 1,
  });
  try {
    const writers: PageWriter[] = [];
    for (let n = 1; n <= WRITERS; n++) writers.push(await PageWriter.of(store, `writer-${n}`));
    const reader = new Reader(store, await store.feed.head());
    const rates: { alone: number; together: number }[] = [];
    for (let run = 0; run <= runs; run++) {
      const alone = await rateOf(kind, writers.slice(0, 1), reader);
      const together = await rateOf(kind, writers, reader);
      progress(
        `${kind} ${run}/${runs}  1 writer ${alone.toFixed(0)} events/s, ${WRITERS} writers ${together.toFixed(0)}`,
      );
      // In the first of them the process warms up.
      if (run > 0) rates.push({ alone, together });
    }
    const alone = spreadOf(rates.map((rate) => rate.alone));
    const together = spreadOf(rates.map((rate) => rate.together));
    return {
      database: await versionOf(kind),
      eventsEach: EVENTS_EACH,
      runs,
      ...{ alone, together, togetherToAlone: ratio(together, alone), checked: reader.seen },
    };
  } finally {
    await store.close();
    await database.drop();
  }
}

async function rateOf(kind: DatabaseKind, writers: readonly PageWriter[], reader: Reader): Promise<number> {
  if (kind === 'postgres') await settle();
  const began = performance.now();
  let written = false;
  const reading = reader.follow(() => written);
  const write = async (writer: PageWriter) => {
    for (let round = 0; round < ROUNDS_EACH; round++) await writer.update();
  };
  await Promise.all(writers.map(write)).finally(() => (written = true));
  const ms = performance.now() - began;
  const told = await reading;
  const updates = writers.length * EVENTS_EACH;
  if (told !== updates) throw new Error(`The reader saw ${told} updates, not ${updates}`);
  return updates / (ms / 1_000);
}

/** Reads as a product does, by cursor, and holds each event against the one before. */
class Reader {
  seen = 0;
  readonly #store: Store;
  #cursor: string;
  #position: number;
  readonly #serials = new Map<string, number>();

  constructor(store: Store, cursor: string) {
    this.#store = store;
    this.#cursor = cursor;
    this.#position = positionOf(cursor);
  }

  /** Until the end that is reached once nobody writes any more; returns how many updates came. */
  async follow(isWritten: () => boolean): Promise<number> {
    let updates = 0;
    for (;;) {
      const last = isWritten();
      const page = await this.#store.feed.read(this.#cursor, 1_000);
      if (page === 'expired') throw new Error('The cursor expired');
      for (const { id, type, tenant, data } of page.events) {
        this.seen++;
        const position = positionOf(id);
        if (position !== this.#position + 1) throw new Error(`After ${this.#position} comes ${position}`);
        this.#position = position;
        if (type !== 'user.updated') continue;
        updates++;
        const serial = Number((data as { employeeId: string }).employeeId);
        const before = this.#serials.get(tenant) ?? -1;
        if (serial !== before + 1) throw new Error(`${tenant}: after the update ${before} comes ${serial}`);
        this.#serials.set(tenant, serial);
      }
      this.#cursor = page.cursor;
      if (page.events.length > 0) continue;
      if (last) return updates;
      await sleep(20);
    }
  }
}

const positionOf = (cursor: string): number => Number(cursor.split('-')[1]);

export function describeFeed(figures: FeedFigures): readonly string[] {
  const { database, eventsEach, runs, alone, together, togetherToAlone, checked } = figures;
  const rate = ({ median, min, max }: Spread) => `${median.toFixed(0)} (${min.toFixed(0)}–${max.toFixed(0)})`;
  return [
    `Events a second into the feed of ${database}, ${eventsEach} by each writer; medians of ${runs} interleaved runs`,
    `  1 writer                  ${rate(alone)}`,
    `  ${WRITERS} writers                 ${rate(together)}`,
    `  ${WRITERS} / 1                     ${togetherToAlone.toFixed(2)}`,
    `  read meanwhile            ${checked} events: in order, none missing, none twice`,
  ];
}
