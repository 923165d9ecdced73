import * as z from 'zod';
import type { GuardSettings } from '../../domain/guard.ts';

const wholeNumber = (max: number) =>
  z
    .int(`A whole number from 0 to ${max} is expected.`)
    .min(0, `A whole number from 0 to ${max} is expected.`)
    .max(max, `A whole number from 0 to ${max} is expected.`);

const threshold = z.strictObject({
  count: wholeNumber(1_000_000_000).meta({ description: 'More than so many, and' }),
  percent: wholeNumber(100).meta({ description: 'more than so much of what is there' }),
});

const words = 'What may go in one round without being held; an account that is switched off counts as a user';

export const guard = z
  .strictObject({ users: threshold, groups: threshold, memberships: threshold })
  .meta({ id: 'Guard', description: words });

export const guardSettings = z
  .strictObject({
    users: threshold.optional(),
    groups: threshold.optional(),
    memberships: threshold.optional(),
  })
  .meta({ id: 'GuardSettings', description: words });

/** Only what the caller said: a kind that is undefined would hide the default. */
export function settingsOf(given: z.output<typeof guardSettings> = {}): GuardSettings {
  const { users, groups, memberships } = given;
  return { ...(users && { users }), ...(groups && { groups }), ...(memberships && { memberships }) };
}
