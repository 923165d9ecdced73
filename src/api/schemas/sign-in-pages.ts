import * as z from 'zod';
import { html, parameter } from './pages.ts';

export const signInPath = z.strictObject({ id: z.string() });

export const targetParameters = {
  return_to: parameter.meta({ description: "One of the tenant's `signIn.returnUrls`" }),
};

export const SIGN_IN_ANSWERS = {
  404: { description: 'A page: nobody can sign in here', type: 'text/html', schema: html },
  429: { description: 'A page: too many tries from this address', type: 'text/html', schema: html },
} as const;
