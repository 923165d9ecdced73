import type { Finding } from '../domain/doctor.ts';

const MARKS = { error: '✗', warning: '!', ok: '✓' } as const;

/** A finding for a person: a line, and where something is to be done who, how, by what evidence and where. */
export function findingLines({ level, title, who, steps, evidence, link }: Finding): string {
  const line = `${MARKS[level]} ${title}`;
  if (level === 'ok') return line;
  return [
    line,
    ...(who === null ? [] : [`  Who must act: ${who}`]),
    ...steps.map((step) => `  - ${step}`),
    `  Evidence: ${JSON.stringify(evidence)}`,
    ...(link === undefined ? [] : [`  ${link}`]),
  ].join('\n');
}
