import * as z from 'zod';

const finding = z
  .strictObject({
    code: z.string().meta({ description: "A problem's code, or what else was looked at" }),
    level: z.enum(['error', 'warning', 'ok']),
    title: z.string(),
    who: z.string().nullable().meta({ description: 'Who must act; null where nobody has to' }),
    steps: z.array(z.string()).readonly(),
    evidence: z.record(z.string(), z.unknown()),
    link: z.string().optional().meta({ description: 'Where to act, or to read on', format: 'uri' }),
  })
  .meta({ id: 'Finding' });

export const diagnostics = z
  .strictObject({
    tenant: z.string(),
    state: z.string(),
    at: z.string().meta({ format: 'date-time' }),
    findings: z.array(finding),
  })
  .meta({ id: 'Diagnostics' });
