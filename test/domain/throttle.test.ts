import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isNearLimit, paceAfter, paceHeld, slowdownMs, STEADY, type Load } from '../../src/domain/throttle.ts';

describe('the pace of a slice', () => {
  it.each<[number, number]>([
    [0, 0],
    [0.8, 0],
    [1, 1_000],
    [1.3, 2_500],
    [1.8, 5_000],
    [99, 5_000],
  ])('is slowed at %d of the limit by %d ms', (share, ms) => {
    expect(slowdownMs(share)).toBe(ms);
    expect(paceAfter(STEADY, { share }, 50_000).readyAt).toBe(50_000 + ms);
  });

  it('is told to other workers above nine tenths alone', () => {
    expect([{}, { share: 0.9 }, { share: 0.91 }].map(isNearLimit)).toEqual([false, false, true]);
  });

  it('keeps a stated wait, whatever is told after it', () => {
    const held = paceHeld(STEADY, 60_000, 1_000);
    expect(paceAfter(held, { share: 1.2, units: 1 }, 2_000).readyAt).toBe(61_000);
    expect(paceHeld(held, 5_000, 2_000).readyAt).toBe(61_000);
  });

  it('never spends more than its share of units in any window of its own', () => {
    const load = fc.record({ units: fc.nat({ max: 500 }), gapMs: fc.nat({ max: 400 }) });
    fc.assert(
      fc.property(fc.array(load, { maxLength: 300 }), (loads) => {
        let pace = STEADY;
        let now = 100_000;
        const windows = new Map<number, number>();
        for (const { units, gapMs } of loads) {
          now = Math.max(now + gapMs, pace.readyAt);
          pace = paceAfter(pace, { units } satisfies Load, now);
          windows.set(pace.windowStart, (windows.get(pace.windowStart) ?? 0) + units);
        }
        // One request may end above it, none begins there.
        for (const spent of windows.values()) expect(spent).toBeLessThan(3_000 + 500);
      }),
    );
  });
});
