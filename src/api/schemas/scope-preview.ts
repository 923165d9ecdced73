import * as z from 'zod';
import type { ObjectRow } from '../../store/face/directory.ts';
import type { ScopePreview } from '../scope-preview.ts';
import { unresolvedGroup } from './scope.ts';

const some = z.strictObject({
  count: z.int(),
  sample: z
    .array(
      z.strictObject({ id: z.string(), displayName: z.string().nullable(), userPrincipalName: z.string().nullable() }),
    )
    .meta({ description: 'At most fifty, by id' }),
});
const sides = z.strictObject({ enter: some, leave: some });

export const scopePreview = z
  .strictObject({
    users: sides,
    groups: sides,
    unresolved: z.array(unresolvedGroup).meta({ description: 'Entries that fit no group, or several' }),
    complete: z.boolean().meta({
      description:
        'False where the preview is cut off: not everything was read, so more may enter, and fewer may leave',
    }),
  })
  .meta({ id: 'ScopePreview' });
export type ScopePreviewJson = z.input<typeof scopePreview>;

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const someOf = ({ count, sample }: { readonly count: number; readonly sample: readonly ObjectRow[] }) => ({
  count,
  sample: sample.map(({ id, data }) => ({
    id,
    displayName: textOf(data['displayName']),
    userPrincipalName: textOf(data['userPrincipalName']),
  })),
});

export function toScopePreview({ users, groups, unresolved, complete }: ScopePreview): ScopePreviewJson {
  const sidesOf = (both: ScopePreview['users']) => ({ enter: someOf(both.enter), leave: someOf(both.leave) });
  return {
    users: sidesOf(users),
    groups: sidesOf(groups),
    unresolved: unresolved.map(({ entry, candidates }) => ({ entry, candidates: [...candidates] })),
    complete,
  };
}
