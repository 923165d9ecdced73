import { statusOf, titleOf, type Problem } from '../problem-document.ts';
import type { Reply } from '../reply.ts';
import { page } from './page.tsx';

/** A failure that has nothing to do with consent, where a person is reading. */
export function problemPage(problem: Problem, base: string): Reply<never> {
  return page({
    status: statusOf(problem.type),
    title: titleOf(problem.type),
    base,
    headers: problem.headers ?? {},
    content: (
      <>
        {problem.detail === undefined ? null : <p>{problem.detail}</p>}
        <p>Nothing was changed. Please try again in a few minutes.</p>
      </>
    ),
  });
}
