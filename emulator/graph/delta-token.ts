import { z } from 'zod';
import type { World } from '../world.ts';

export type DeltaResource = 'users' | 'groups';

const common = {
  resource: z.enum(['users', 'groups']),
  tenant: z.string(),
  app: z.string(),
  /** Which token of the tenant this is, in order of issue; expiry on command is by this number. */
  serial: z.number(),
  issuedAt: z.number(),
  /** The selected names as they were given; undefined without `$select`. */
  select: z.string().optional(),
  /** The ids of `$filter`. */
  ids: z.array(z.string()).optional(),
};

const deltaToken = z.object({
  ...common,
  kind: z.literal('delta'),
  /** The place in the change log that the caller has seen. */
  seen: z.number(),
});

const pageToken = z.object({
  ...common,
  kind: z.enum(['initial', 'changes']),
  from: z.number(),
  /** The head of the log when the round began: where the next round goes on. */
  to: z.number(),
  /** Objects passed, by place in the row (first round) or in the list of changes. */
  at: z.number(),
  /** Groups of which some members are still to be listed: group and place. */
  open: z.array(z.tuple([z.number(), z.number()])),
  page: z.number(),
  empties: z.number(),
});

export type DeltaToken = z.infer<typeof deltaToken>;
export type PageToken = z.infer<typeof pageToken>;

export function sealToken(world: World, token: DeltaToken | PageToken): string {
  return world.sealer.seal(token);
}

export function openToken(world: World, text: string): DeltaToken | PageToken | undefined {
  const value = world.sealer.open(text);
  const parsed = z.discriminatedUnion('kind', [deltaToken, pageToken]).safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
