import * as z from 'zod';
import { page } from '../pages/page.tsx';
import { PROBLEM_TYPES, statusOf, titleOf } from '../problem-document.ts';
import { defineRoute } from '../route.ts';
import { basePathOf } from '../base-path.ts';

export const getProblem = defineRoute({
  method: 'get',
  path: '/problems/{type}',
  tag: 'Operation',
  summary: 'What a problem type means',
  access: 'open',
  page: true,
  params: z.strictObject({ type: z.enum(PROBLEM_TYPES, 'There is no such problem type.') }),
  answers: { 200: { description: 'A page', type: 'text/html', schema: z.string() } },
  problems: [],
  async handle({ params: { type } }, deps) {
    return page({
      status: 200,
      title: titleOf(type),
      base: basePathOf(deps.config.publicUrl),
      content: (
        <p>
          Answered with status {statusOf(type)} as a problem document of the type <code>/problems/{type}</code>.
        </p>
      ),
    });
  },
});
