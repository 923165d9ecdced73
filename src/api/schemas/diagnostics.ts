import * as z from 'zod';

const finding = z
  .strictObject({
    code: z.string().meta({ description: "A problem's code, or what else was looked at" }),
    level: z.enum(['error', 'warning', 'ok']),
    title: z.string(),
    who: z.string().nullable().meta({ description: 'Who must act; null where nobody has to' }),
    steps: z.array(z.string()),
    evidence: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Finding' });
export type Finding = z.input<typeof finding>;

export const diagnostics = z
  .strictObject({
    tenant: z.string(),
    state: z.string(),
    at: z.string().meta({ format: 'date-time' }),
    findings: z.array(finding),
  })
  .meta({ id: 'Diagnostics' });
