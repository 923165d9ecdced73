import * as z from 'zod';

export const html = z.string();
export const linkPath = z.strictObject({ token: z.string() });

export const shown = (description: string) => ({
  description: `A page: ${description}`,
  type: 'text/html',
  schema: html,
});

export const LINK_ANSWERS = {
  404: { description: 'A page: the link leads nowhere', type: 'text/html', schema: html },
  410: { description: 'A page: the link has expired', type: 'text/html', schema: html },
} as const;

/** How the pages of a consent end where they lead no further. */
export const OUTCOME_ANSWERS = {
  400: shown('an answer that cannot be used'),
  403: shown('declined, another browser, another directory, or not an administrator'),
  409: shown('used already, or the directory or the environment is connected otherwise'),
  410: shown('it took too long, or the set-up link was taken back'),
  503: shown('Microsoft cannot be reached'),
};

/** What the forms of the confirmation send. */
export const confirmForm = z.looseObject({ state: z.string().optional(), csrf: z.string().optional() });

/** A query parameter of a page: one that came twice, or is no text, is as good as absent. */
export const parameter = z
  .string()
  .max(8192)
  .optional()
  .catch(undefined)
  .meta({ openapi: { type: 'string' } });
