import * as z from 'zod';

export const html = z.string();
export const linkPath = z.strictObject({ token: z.string() });

export const LINK_ANSWERS = {
  404: { description: 'A page: the link leads nowhere', type: 'text/html', schema: html },
  410: { description: 'A page: the link has expired', type: 'text/html', schema: html },
} as const;

/** A query parameter of a page: one that came twice, or is no text, is as good as absent. */
export const parameter = z.string().max(8192).optional().catch(undefined);
