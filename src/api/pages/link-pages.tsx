import type { Reply } from '../reply.ts';
import { page } from './page.tsx';

/** The same for every link that leads nowhere, so that nothing can be learned from it. */
export function noSuchLinkPage(base: string): Reply<never> {
  return page({
    status: 404,
    title: 'This link does not work',
    base,
    content: (
      <>
        <p>It may be incomplete, replaced by a newer one, or belong to an environment that is no longer there.</p>
        <p>Ask whoever sent it to you for a new set-up link, and check that all of it was copied.</p>
      </>
    ),
  });
}

export function expiredLinkPage(base: string): Reply<never> {
  return page({
    status: 410,
    title: 'This link has expired',
    base,
    content: <p>Set-up links work for 30 days. Ask whoever sent it to you for a new one.</p>,
  });
}
