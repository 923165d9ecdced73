import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import * as z from 'zod';
import { SITE_CSS } from '../pages/site-css.ts';
import { text } from '../reply.ts';
import { defineRoute } from '../route.ts';

const FILES = {
  'pico.min.css': () => readFile(createRequire(import.meta.url).resolve('@picocss/pico/css/pico.min.css'), 'utf8'),
  'site.css': async () => SITE_CSS,
} as const;

export const getAsset = defineRoute({
  method: 'get',
  path: '/assets/{file}',
  tag: 'Pages',
  summary: 'A style sheet of the pages',
  access: 'open',
  params: z.strictObject({ file: z.enum(['pico.min.css', 'site.css'], 'There is no such file.') }),
  answers: { 200: { description: 'A style sheet', type: 'text/css', schema: z.string() } },
  problems: [],
  async handle({ params }) {
    return text(200, 'text/css; charset=utf-8', await FILES[params.file](), {
      'Cache-Control': 'public, max-age=3600',
    });
  },
});
