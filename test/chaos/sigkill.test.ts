import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Program } from '../../demo/process.ts';
import { fold } from '../support/api-client.ts';
import { Deployment, firstDifference, type DirectoryJson } from '../support/deployment.ts';

// The whole size with PostgreSQL, where worker and API are processes of their own; a tenth with PGlite, all in one.
const LARGE = Boolean(process.env['DATABASE_URL']);
const SIZE = LARGE
  ? { users: 20_000, groups: 2_000, memberships: 100_000 }
  : { users: 2_000, groups: 200, memberships: 10_000 };
const KILLS_IN_FIRST_SYNC = 3;
const ROUNDS = LARGE ? 50 : 10;
/** A kill costs the heartbeat timeout of the slice in flight: CI kills in some of the rounds, KILL_EVERY=1 in each. */
const KILL_EVERY = Number(process.env['KILL_EVERY'] ?? (LARGE ? 10 : 5));

/** Skips, and says so, with PGlite: it belongs to one process, so that nobody can overtake another. */
function onPostgres(name: string, body: () => Promise<void>, timeout: number): void {
  if (LARGE) return test(name, body, timeout);
  process.stderr.write(`Left out: "${name}" (PGlite belongs to one process; set DATABASE_URL)\n`);
  test.skip(name, body);
}

describe('a worker killed with SIGKILL', () => {
  let deployment: Deployment;
  let directory: DirectoryJson;
  let worker: Program;

  const startWorker = () => {
    worker = deployment.separable ? deployment.startProduct('worker', 0) : deployment.startProduct('all');
  };
  const kill = async () => {
    worker.child.kill('SIGKILL');
    await new Promise((resolve) => worker.child.once('exit', resolve));
    startWorker();
    if (!deployment.separable) await deployment.ready();
  };

  beforeAll(async () => {
    deployment = await Deployment.start();
    directory = await deployment.directory({ domain: 'large.example', seed: 7, ...SIZE });
    if (deployment.separable) deployment.startProduct('api');
    startWorker();
    await deployment.ready();
  }, 240_000);

  afterAll(async () => {
    await deployment?.stop();
  }, 240_000);

  test('three times in a first sync leaves exactly what the directory has', async () => {
    // Slow enough to be hit in the middle.
    await deployment.emulator.control('POST', 'faults', {
      path: '/delta',
      fault: { kind: 'latency', ms: LARGE ? 250 : 500 },
    });
    await deployment.connect('large', directory);
    let pages = 0;
    for (let kills = 0; kills < KILLS_IN_FIRST_SYNC; kills++) {
      const tenant = await deployment.api.until(
        'large',
        'some more pages are written',
        ({ progress }) => (progress?.pages ?? 0) >= pages + (LARGE ? 10 : 2),
        240_000,
      );
      pages = tenant.progress?.pages ?? 0;
      await kill();
    }
    await deployment.emulator.control('DELETE', 'faults');
    const tenant = await deployment.api.until(
      'large',
      'the first sync is complete',
      ({ state }) => state === 'delta_sync',
      180_000,
    );
    expect(tenant.counts).toMatchObject({ users: SIZE.users, groups: SIZE.groups });
    const mirror = await deployment.expectMirror('large', directory.id);
    expect(mirror.memberships.size).toBeGreaterThanOrEqual(SIZE.memberships * 0.95);
  }, 420_000);

  test(`after each of ${ROUNDS} delta rounds with changes and kills, the events folded over the snapshot are the mirror`, async () => {
    let folded = await deployment.api.snapshot('large');
    for (let round = 1; round <= ROUNDS; round++) {
      await deployment.emulator.control('POST', `tenants/${directory.id}/mutate`, { count: 20, seed: round });
      if (round % KILL_EVERY === 0) await kill();
      await deployment.caughtUp('large');
      const { events, cursor } = await deployment.api.eventsAfter(folded.cursor, 'large');
      folded = { ...fold(folded, events), cursor };
      const mirror = await deployment.api.snapshot('large');
      expect(firstDifference(folded, mirror)).toBeUndefined();
    }
    await deployment.expectMirror('large', directory.id);
  }, 1_800_000);

  onPostgres(
    'a worker that was stopped, overtaken and continued writes nothing',
    async () => {
      const first = await deployment.api.snapshot('large');
      await deployment.api.json('POST', '/v1/tenants/large/resync');
      const undisturbed = await deployment.api.fullRoundAfter(first.cursor, 'large');
      expect(undisturbed.pages).toBeGreaterThan(10);
      const { cursor } = await deployment.api.snapshot('large');

      await deployment.emulator.control('POST', 'faults', { path: '/delta', fault: { kind: 'latency', ms: 500 } });
      await deployment.api.json('POST', '/v1/tenants/large/resync');
      const pages = (least: number) =>
        deployment.api.until(
          'large',
          `${least} pages are written`,
          ({ progress }) => progress?.kind === 'full' && progress.pages >= least,
          180_000,
        );
      const before = (await pages(4)).progress?.pages ?? 0;
      const stopped = worker;
      stopped.child.kill('SIGSTOP');
      startWorker();
      // Temporal goes on handing tasks to the polls that the stopped one left open, until it misses answers to its pings.
      await pages(before + 6); // the other one has overtaken it
      stopped.child.kill('SIGCONT');
      await deployment.emulator.control('DELETE', 'faults');
      const disturbed = await deployment.api.fullRoundAfter(cursor, 'large');

      // Every page was committed once, by whoever held the fence: one written behind it would count.
      expect(disturbed.pages).toBe(undisturbed.pages);
      await deployment.caughtUp('large');
      const { events } = await deployment.api.eventsAfter(cursor, 'large');
      expect(events.filter(({ type }) => /^(user|group|membership)\./.test(type))).toEqual([]);
      await deployment.expectMirror('large', directory.id);
      await stopped.stop();
    },
    420_000,
  );
});
