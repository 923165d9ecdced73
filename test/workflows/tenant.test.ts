import { describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { completed, LONG_MS, withTenant } from '../support/tenant-worker.ts';

const refusal = (type: string, aadsts: number) =>
  ApplicationFailure.nonRetryable('refused', type, { aadsts, requestId: 'r-1' });
const due = (isDue: boolean) => (isDue ? { subscriptionsDue: true } : {});
const phases = (records: readonly { readonly phase: string }[]) => [...new Set(records.map((record) => record.phase))];

describe('the workflow of a tenant', () => {
  test('goes from consent over the first sync into the delta loop, and ticks each intent', () =>
    withTenant({}, async ({ signal, until, records, slices, status }) => {
      await until('it is recorded', () => records.length > 0);
      expect(records[0]).toMatchObject({ tenantNo: 7, phase: 'awaiting_consent', paused: false, problem: null });
      await signal('consent', 1);
      await until('the delta loop runs', () => records.at(-1)?.phase === 'delta_sync');
      expect(phases(records)).toEqual(['awaiting_consent', 'consented', 'syncing', 'delta_sync']);
      expect(records.flatMap((record) => record.taken)).toEqual(['intent-1']);
      expect(slices).toHaveLength(1);
      expect(await status()).toMatchObject({ phase: 'delta_sync', round: null });
    }));

  test('ignores messages for another life of the same name', () =>
    withTenant({}, async ({ signal, until, records, status }) => {
      await signal('consent', 1, 6);
      await signal('delete', 2, 8);
      await signal('start', 3);
      await until('its own intent is ticked', () => records.some((record) => record.taken.includes('intent-3')));
      expect(await status()).toMatchObject({ phase: 'awaiting_consent', deleting: false });
    }));

  test('runs rounds by the interval that the slice names, each under an id of its own', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, until, slices }) => {
      script.syncSlice = async (input) => completed(input, 1_000);
      await until('three rounds ran', () => slices.length >= 3);
      expect(new Set(slices.map((slice) => slice.roundId)).size).toBe(slices.length);
    }));

  test('calls unfinished slices again under the same round, and shows a round that became full as syncing', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, until, slices, records }) => {
      script.syncSlice = async (input) =>
        slices.length < 3
          ? { outcome: 'unfinished', kind: 'full', tokenExpiresAt: Date.now() + LONG_MS }
          : completed(input);
      await until('the round is complete', () => slices.length === 3 && records.at(-1)?.phase === 'delta_sync');
      expect(new Set(slices.map((slice) => slice.roundId)).size).toBe(1);
      expect(slices.map((slice) => slice.kind)).toEqual(['delta', 'full', 'full']);
      expect(phases(records)).toEqual(['delta_sync', 'syncing']);
    }));

  test('renews the token when Graph refuses it, and gives up on the third refusal in a row', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, until, calls, records }) => {
      script.syncSlice = async (input) => ({ outcome: 'token_needed', kind: input.kind });
      await until('a person is asked', () => records.at(-1)?.problem?.code === 'token_refused');
      expect(calls.slice(0, 6)).toEqual([
        'refreshToken',
        'syncSlice',
        'refreshToken',
        'syncSlice',
        'refreshToken',
        'syncSlice',
      ]);
      script.syncSlice = async (input) => completed(input);
      await until('it healed', () => records.at(-1)?.problem === null);
    }));

  test('keeps the token while it lasts, and renews one that ends within five minutes', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, until, calls, slices }) => {
      script.syncSlice = async (input) => completed(input, 500);
      await until('three rounds ran', () => slices.length >= 3);
      expect(calls.filter((call) => call === 'refreshToken')).toHaveLength(1);
      script.syncSlice = async (input) => ({
        ...completed(input, 500),
        outcome: 'completed',
        kind: input.kind,
        changes: 0,
        nextInMs: 500,
        tokenExpiresAt: Date.now() + 60_000,
      });
      await until('it renews', () => calls.filter((call) => call === 'refreshToken').length >= 2);
    }));

  test('pauses at once, cutting a running slice, and goes on in the same round when resumed', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, signal, until, slices, records, status }) => {
      script.syncSlice = async (input) => {
        if (slices.length > 1) return completed(input);
        const { Context } = await import('@temporalio/activity');
        for (;;) {
          Context.current().heartbeat();
          await Context.current().sleep(50);
        }
      };
      await until('a slice runs', () => slices.length === 1);
      await signal('pause', 1);
      await until('it is paused', () => records.at(-1)?.paused === true);
      expect((await status()).round?.id).toBe(slices[0]?.roundId);
      await signal('resume', 2);
      await until('it goes on', () => slices.length === 2);
      expect(slices[1]?.roundId).toBe(slices[0]?.roundId);
    }));

  test('waits as long as Microsoft asks, without a slice', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, until, slices }) => {
      const times: number[] = [];
      script.syncSlice = async (input) => {
        times.push(Date.now());
        return times.length === 1 ? { outcome: 'throttled', kind: input.kind, retryAfterMs: 2_000 } : completed(input);
      };
      await until('it goes on', () => slices.length === 2);
      expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1_900);
    }));

  test('is pulled to a round at once by a hint, and looks once more for what was told while a round ran', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, hint, until, slices, handle }) => {
      await until('the first round ran', () => slices.length === 1);
      let end = () => undefined as void;
      const told = new Promise<void>((resolve) => (end = resolve));
      script.syncSlice = async (input) => {
        await told;
        return completed(input);
      };
      await hint(6);
      await hint();
      await until('the hint led to a round', () => slices.length === 2);
      for (let n = 0; n < 5; n++) await hint();
      end();
      await until('one more round ran', () => slices.length === 3);
      await new Promise((resolve) => setTimeout(resolve, 800));
      expect(slices).toHaveLength(3);
      expect(new Set(slices.map((slice) => slice.roundId)).size).toBe(3);
      expect(await handle.query('status')).toMatchObject({ hinted: false });
    }));

  test('shortens no wait that Microsoft asked for because of a hint', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, hint, until, slices }) => {
      const times: number[] = [];
      script.syncSlice = async (input) => {
        times.push(Date.now());
        return times.length === 1 ? { outcome: 'throttled', kind: input.kind, retryAfterMs: 2_000 } : completed(input);
      };
      await until('it waits', () => slices.length === 1);
      for (let n = 0; n < 3; n++) await hint();
      await until('it goes on', () => slices.length >= 2);
      expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1_900);
    }));

  test('shortens no wait after a failure because of a hint', () =>
    withTenant({ phase: 'delta_sync', policy: { minRetryMs: 2_000, maxRetryMs: 2_000 } }, async (tenant) => {
      const { script, hint, until, records, calls } = tenant;
      const times: number[] = [];
      script.refreshToken = async () => {
        times.push(Date.now());
        if (times.length === 1) throw refusal('CredentialsRejected', 7_000_222);
        return { expiresAt: Date.now() + LONG_MS, missing: [] };
      };
      await until('the failure is told', () => records.at(-1)?.problem?.code === 'credentials_rejected');
      for (let n = 0; n < 3; n++) await hint();
      await until('it tried again', () => calls.includes('syncSlice'));
      expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1_900);
    }));

  test('looks after its subscriptions when a round says so, and no round waits for that', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, signal, until, slices, calls, records, status }) => {
      script.syncSlice = async (input) => ({ ...completed(input, 300), ...due(slices.length === 1) });
      let settle = (): void => undefined;
      const asked = new Promise<void>((resolve) => (settle = resolve));
      const since = new Date(Date.now() - LONG_MS).toISOString();
      script.keepSubscriptions = async () => {
        await asked;
        return { kept: 'failing', begun: false, failingSince: since };
      };
      await until('rounds go on', () => slices.length >= 3);
      expect(calls.filter((call) => call === 'keepSubscriptions')).toHaveLength(1);
      settle();
      await until('it is told', () => records.at(-1)?.problem?.code === 'notifications_unavailable');
      expect(records.at(-1)?.problem?.since).toBe(since);
      script.keepSubscriptions = async () => ({ kept: 'off', begun: false });
      await signal('revoke', 1);
      await until('they are gone', async () => !(await status()).subscribed);
    }));

  test('looks at once for what changed before its subscriptions began, and deletes them before it goes', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, signal, until, slices, calls }) => {
      script.syncSlice = async (input) => ({ ...completed(input), ...due(slices.length === 1) });
      script.keepSubscriptions = async () => ({ kept: 'ok', begun: true });
      await until('a second round ran', () => slices.length === 2);
      script.keepSubscriptions = async () => ({ kept: 'off', begun: false });
      await signal('delete', 1);
      await until('it is purged', () => calls.includes('purgeTenant'));
      expect(calls.slice(-2)).toEqual(['keepSubscriptions', 'purgeTenant']);
    }));

  test('waits for a consent to spread, and asks a person only after the window', () =>
    withTenant({}, async ({ script, signal, until, records }) => {
      script.refreshToken = async () => {
        throw refusal('ConsentMissing', 7_000_229);
      };
      await signal('consent', 1);
      await until('a person is asked', () => records.at(-1)?.problem?.code === 'consent_not_effective');
      expect(records.at(-1)).toMatchObject({ phase: 'consented', problem: { aadsts: 7_000_229, requestId: 'r-1' } });
      script.refreshToken = async () => ({ expiresAt: Date.now() + LONG_MS, missing: [] });
      await until(
        'it goes on by itself',
        () => records.at(-1)?.phase === 'delta_sync' && records.at(-1)?.problem === null,
      );
    }));

  test('names the permissions that are missing', () =>
    withTenant({}, async ({ script, signal, until, records }) => {
      script.verifyConsent = async () => ({ verified: false, missing: ['Group.Read.All'] });
      await signal('consent', 1);
      await until('a person is asked', () => records.at(-1)?.problem !== null && records.length > 1);
      expect(records.at(-1)?.problem).toMatchObject({ code: 'permissions_missing', permissions: ['Group.Read.All'] });
    }));

  test('goes on without a permission that a profile alone needs, and says which until it is granted', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, signal, until, records, slices }) => {
      script.refreshToken = async () => ({ expiresAt: Date.now() + LONG_MS, missing: ['Mail.Read'] });
      await until('it says what is missing', () => records.at(-1)?.problem?.code === 'permissions_missing');
      expect(records.at(-1)).toMatchObject({ phase: 'delta_sync', problem: { permissions: ['Mail.Read'] } });
      const before = slices.length;
      expect(before).toBeGreaterThan(0);
      script.refreshToken = async () => ({ expiresAt: Date.now() + LONG_MS, missing: [] });
      await signal('sync', 1);
      await until('nothing is missing', () => records.at(-1)?.problem === null);
      expect(slices.length).toBeGreaterThan(before);
    }));

  test.each(['slice', 'request for a token'])(
    'hears that a permission was granted while a %s was under way',
    (during) =>
      withTenant({ phase: 'delta_sync' }, async ({ script, signal, until, records, slices, calls }) => {
        let missing = ['Mail.Read'];
        script.refreshToken = async () => ({ expiresAt: Date.now() + LONG_MS, missing });
        await until('it says what is missing', () => records.at(-1)?.problem?.code === 'permissions_missing');
        const [asked, ran] = [calls.filter((call) => call === 'refreshToken').length, slices.length];
        const begun = () =>
          during === 'slice' ? slices.length > ran : calls.filter((call) => call === 'refreshToken').length > asked;
        let end = () => {};
        const ended = new Promise<void>((resolve) => (end = resolve));
        if (during === 'slice') {
          script.refreshToken = async () => ({ expiresAt: Date.now() + LONG_MS, missing });
          script.syncSlice = async (input) => {
            await ended;
            return completed(input);
          };
        } else {
          const before = missing;
          script.refreshToken = async () => {
            await ended;
            script.refreshToken = async () => ({ expiresAt: Date.now() + LONG_MS, missing });
            return { expiresAt: Date.now() + LONG_MS, missing: before };
          };
        }
        await signal('sync', 1);
        await until('it is under way', begun);
        missing = [];
        await signal('sync', 2);
        end();
        await until('nothing is missing', () => records.at(-1)?.problem === null);
      }),
  );

  test('takes one refusal for a disturbance and a second one, later, for a revocation', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, until, records }) => {
      script.refreshToken = async () => {
        throw refusal('ConsentMissing', 700_016);
      };
      await until('it is revoked', () => records.at(-1)?.phase === 'revoked');
      expect(records.find((record) => record.problem !== null)).toMatchObject({
        phase: 'delta_sync',
        problem: { code: 'consent_missing' },
      });
    }));

  test.each([
    ['an application that is switched off', 'application_disabled'],
    ['a directory that granted nothing', 'permissions_missing'],
  ])('takes %s for a revocation at the second look, and goes on by itself when it is honoured again', (_, code) =>
    withTenant(
      { phase: 'delta_sync', policy: { lookAgainMs: 300 } },
      async ({ script, until, records, slices, calls }) => {
        const missing = ['User.Read.All', 'Group.Read.All'];
        const off = code === 'application_disabled';
        script.refreshToken = async () => {
          if (off) throw refusal('ApplicationDisabled', 7_000_112);
          return { expiresAt: Date.now() + LONG_MS, missing };
        };
        script.syncSlice = async (input) => ({ outcome: 'forbidden', kind: input.kind });
        await until('a person is asked', () => records.at(-1)?.problem?.code === code);
        expect(records.at(-1)).toMatchObject({ phase: 'delta_sync', problem: { code } });
        await until('it is revoked', () => records.at(-1)?.phase === 'revoked');
        expect(records.at(-1)?.problem?.code).toBe(code);
        const looks = calls.filter((call) => call === 'refreshToken').length;
        await until('it is looked at again', () => calls.filter((call) => call === 'refreshToken').length > looks + 1);
        expect(records.at(-1)?.phase).toBe('revoked');
        script.refreshToken = async () => ({ expiresAt: Date.now() + LONG_MS, missing: [] });
        script.syncSlice = async (input) => completed(input);
        await until('it is back', () => records.at(-1)?.phase === 'delta_sync' && records.at(-1)?.problem === null);
        expect(slices.every((slice) => slice.kind === 'delta')).toBe(true);
      },
    ),
  );

  test('says what is missing while the other feed goes on, and no more once it is granted again', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, until, slices, records }) => {
      let missing = ['Group.Read.All'];
      script.refreshToken = async () => ({ expiresAt: Date.now() + LONG_MS, missing });
      script.syncSlice = async (input) =>
        missing.length === 0
          ? completed(input, 100)
          : { ...completed(input, 100), setAside: { feed: 'groups', requestId: 'r-1' } };
      await until('a person is asked', () => records.at(-1)?.problem?.code === 'permissions_missing');
      expect(records.at(-1)).toMatchObject({
        phase: 'delta_sync',
        problem: { permissions: ['Group.Read.All'], requestId: 'r-1' },
      });
      const since = records.at(-1)?.problem?.since;
      const before = slices.length;
      await until('rounds go on', () => slices.length > before + 2);
      expect(records.at(-1)?.problem?.since).toBe(since);
      missing = [];
      await until('it healed', () => records.at(-1)?.problem === null);
    }));

  test('holds the mirror against a fresh read beside the rounds, a piece at a time, until nothing is due', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, until, slices, calls, status }) => {
      let end = () => {};
      script.reconcileSlice = () => new Promise((resolve) => (end = resolve));
      script.syncSlice = async (input) => ({ ...completed(input, 300), reconcileDue: true });
      const pieces = () => calls.filter((call) => call === 'reconcileSlice').length;
      await until('a piece is under way', () => pieces() === 1);
      const before = slices.length;
      await until('rounds do not wait for it', () => slices.length > before + 2);
      expect(pieces()).toBe(1);
      script.reconcileSlice = async () => {};
      end();
      await until('the next round does another', () => pieces() > 1);
      script.syncSlice = async (input) => completed(input, 300);
      expect((await status()).phase).toBe('delta_sync');
    }));

  test('has the data of a revoked tenant purged when its time has come, and asks Microsoft nothing meanwhile', () =>
    withTenant(
      { phase: 'delta_sync', policy: { lookAgainMs: 100 } },
      async ({ script, signal, until, records, calls }) => {
        const dueAt: (number | null)[] = [Date.now() + LONG_MS];
        script.purgeRevoked = () => (dueAt.length > 1 ? dueAt.shift() : dueAt[0]) ?? null;
        await signal('revoke', 1);
        await until('it is revoked', () => records.at(-1)?.phase === 'revoked');
        await until('the time is known', () => calls.includes('purgeRevoked'));
        const looks = calls.filter((call) => call === 'refreshToken').length;
        dueAt.splice(0, 1, Date.now() + 500, null);
        await signal('settings', 2);
        await until('it is purged', () => calls.filter((call) => call === 'purgeRevoked').length === 3);
        expect(calls.filter((call) => call === 'refreshToken')).toHaveLength(looks);
      },
    ));

  test('tells whose fault a rejected credential is, and heals when it works again', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, until, records }) => {
      script.refreshToken = async () => {
        throw refusal('CredentialsRejected', 7_000_222);
      };
      await until('the operator is asked', () => records.at(-1)?.problem?.code === 'credentials_rejected');
      script.refreshToken = async () => ({ expiresAt: Date.now() + LONG_MS, missing: [] });
      await until('it healed', () => records.at(-1)?.problem === null && records.length > 2);
      expect(phases(records)).toEqual(['delta_sync']);
    }));

  test('is revoked by the product, and starts over when consent is given again', () =>
    withTenant({ phase: 'delta_sync' }, async ({ signal, until, records }) => {
      await signal('revoke', 1);
      await until('it is revoked', () => records.at(-1)?.phase === 'revoked');
      await signal('consent', 2);
      await until('it is back', () => records.at(-1)?.phase === 'delta_sync');
    }));

  test('asks a person about held removals while rounds go on, and does what the person decides', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, signal, until, slices, records, calls, status }) => {
      const since = '2026-11-21T12:00:00.000Z';
      let held: string | null = since;
      script.syncSlice = async (input) => ({ ...completed(input, 300), ...(held === null ? {} : { heldSince: held }) });
      script.settleHeld = async () => ({ heldSince: (held = null) });
      await until('a person is asked', () => records.at(-1)?.problem?.code === 'held');
      expect(records.at(-1)).toMatchObject({ phase: 'delta_sync', problem: { code: 'held', since } });
      const before = slices.length;
      await until('rounds go on', () => slices.length > before + 1);
      await signal('approve_held', 1);
      await signal('approve_held', 1);
      await until('it is done', () => calls.includes('settleHeld approve'));
      await until('nobody is asked any more', () => records.at(-1)?.problem === null);
      expect(records.flatMap((record) => record.taken).filter((id) => id === 'intent-1').length).toBeGreaterThan(0);
      held = since;
      await until('a person is asked again', () => records.at(-1)?.problem?.code === 'held');
      expect(slices.every((slice) => slice.kind === 'delta')).toBe(true);
      await signal('reject_held', 2);
      await until('all is read again', () => slices.some((slice) => slice.kind === 'full'));
      expect(calls.filter((call) => call.startsWith('settleHeld'))).toEqual([
        'settleHeld approve',
        'settleHeld reject',
      ]);
      expect(await status()).toMatchObject({ heldVerdict: null });
    }));

  test('does not hide that a person must decide behind what passes by itself', () =>
    withTenant({ phase: 'delta_sync' }, async ({ script, until, slices, records }) => {
      const since = '2026-11-21T12:00:00.000Z';
      script.syncSlice = async (input) => {
        if (slices.length % 2 === 0) throw ApplicationFailure.nonRetryable('gone', 'GraphUnavailable');
        return { ...completed(input, 100), heldSince: since };
      };
      await until('it failed and went on', () => slices.length >= 4);
      const told = records.map((record) => record.problem?.code).filter((code) => code !== undefined);
      expect(new Set(told)).toEqual(new Set(['held']));
    }));

  test('ends with the purge when it is deleted', () =>
    withTenant({ phase: 'delta_sync' }, async ({ signal, until, calls, handle }) => {
      await signal('delete', 1);
      await until('it is purged', () => calls.includes('purgeTenant'));
      expect(await handle.result()).toBe('deleted');
    }));

  test(
    'loses no signal and acts on none twice while it continues as new again and again',
    () =>
      withTenant(
        { phase: 'delta_sync', policy: { roundsPerRun: 1 } },
        async ({ signal, until, records, slices, client, handle }) => {
          const first = (await handle.describe()).runId;
          let sent = 0;
          while (sent < 40 || slices.length < 3) {
            await signal('sync', ++sent);
            if (sent % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 300));
          }
          await until(
            'all are ticked',
            () => new Set(records.flatMap((record) => record.taken)).size === sent,
            120_000,
          );
          expect(records.flatMap((record) => record.taken)).toHaveLength(sent);
          expect((await client.workflow.getHandle(handle.workflowId).describe()).runId).not.toBe(first);
        },
      ),
    240_000,
  );

  test('answers an operator at the Temporal UI', () =>
    withTenant({ phase: 'delta_sync' }, async ({ handle, until, records, slices }) => {
      await until('the first round ran', () => slices.length === 1);
      expect(await handle.executeUpdate('pauseTenant')).toMatchObject({ paused: true });
      await until('it is recorded', () => records.at(-1)?.paused === true);
      expect(await handle.executeUpdate('resumeTenant')).toMatchObject({ paused: false });
      await until('it goes on', () => slices.length >= 2);
    }));
});
