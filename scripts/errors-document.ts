import { format, resolveConfig } from 'prettier';
import { AADSTS_CODES } from '../src/domain/catalogue/aadsts-codes.ts';
import type { CodeEntry } from '../src/domain/catalogue/code-entry.ts';
import { GRAPH_CODES } from '../src/domain/catalogue/graph-codes.ts';
import { REMEDIES } from '../src/domain/catalogue/remedies.ts';

/** The page of Microsoft's codes, written from the table that the product reads, in the repository's format. */
export async function errorsDocument(path: string): Promise<string> {
  const text = [
    '# What Microsoft answers, and what to do',
    'Written from `src/domain/catalogue` by `npm run docs:errors`. A code that is not here is shown as it came, with the request id to send to support.',
    '## Sign-in (AADSTS)',
    table(AADSTS_CODES.map((entry) => [entry.numbers.join(', '), entry])),
    '## Microsoft Graph',
    table(GRAPH_CODES.map((entry) => [`${entry.codes.join(', ')} (${entry.statuses.join(', ')})`, entry])),
    '## Steps',
    ...Object.entries(REMEDIES).map(([name, steps]) => `### ${name}\n\n${steps.map((step) => `- ${step}`).join('\n')}`),
  ].join('\n\n');
  return format(text, { ...(await resolveConfig(path)), parser: 'markdown' });
}

function table(rows: readonly (readonly [codes: string, entry: CodeEntry])[]): string {
  const lines = rows.map(
    ([codes, { cause, class: kind, who, remedy }]) =>
      `| ${codes} | ${cause} | ${kind} | ${who} | [${remedy}](#${remedy.toLowerCase()}) |`,
  );
  return ['| code | cause | class | who must act | steps |', '| --- | --- | --- | --- | --- |', ...lines].join('\n');
}
