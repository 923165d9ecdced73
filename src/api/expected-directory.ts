import type { ApiDeps } from './deps.ts';
import { problem, type Reply } from './reply.ts';
import { GUID } from './schemas/fields.ts';

/** The id of the directory that the caller vouches for: a domain is asked of Microsoft now, so that it cannot come to mean another later. */
export async function resolveExpected(
  expected: string | null,
  { graph }: Pick<ApiDeps, 'graph'>,
): Promise<string | null | Reply<never>> {
  if (expected === null || GUID.test(expected)) return expected;
  const found = await graph.resolveDirectory(expected);
  switch (found.kind) {
    case 'directory':
      return found.id.toLowerCase();
    case 'unknown':
      return problem('unknown-directory', `Microsoft knows no directory with the domain ${expected}, in this cloud.`);
    case 'unavailable':
      return problem('unavailable', 'Microsoft could not be asked for the directory of this domain.', {
        headers: { 'Retry-After': '10' },
      });
  }
}
