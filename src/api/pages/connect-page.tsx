import type { TenantRow } from '../../store/store.ts';
import type { Reply } from '../reply.ts';
import { page } from './page.tsx';

const PERMISSIONS = [
  {
    name: 'User.Read.All',
    words: 'Read the people in your directory: names, addresses, job details, and whether an account is enabled.',
  },
  {
    name: 'Group.Read.All',
    words:
      "Read groups and who is in them. Microsoft's permission covers the groups' conversations and files too; these are not read.",
  },
  {
    name: 'Application.Read.All',
    words: 'Read which permissions were granted, to tell you when one is missing.',
  },
  { name: 'openid, profile', words: 'See who signs in, to make sure that an administrator of your directory did.' },
];

/** What an administrator reads before anything happens. */
export function connectPage(tenant: TenantRow, token: string, base: string): Reply<never> {
  const name = tenant.name ?? tenant.id;
  const known = tenant.phase !== 'awaiting_consent' || tenant.candidate !== null;
  return page({
    status: 200,
    title: 'Connect your Microsoft Entra ID directory',
    base,
    content: (
      <>
        <p>
          You are about to connect your organization's directory to <strong>{name}</strong>, so that it knows the people
          and groups of your organization and follows their changes. If this name means nothing to you, close this page.
        </p>
        {known ? (
          <p>
            <a href={`${base}/connect/${token}/status`}>See how the connection stands now</a>
          </p>
        ) : null}
        <section aria-labelledby="permissions">
          <h2 id="permissions">What Microsoft will ask you to allow</h2>
          <dl>
            {PERMISSIONS.map(({ name, words }) => (
              <>
                <dt>
                  <code>{name}</code>
                </dt>
                <dd>{words}</dd>
              </>
            ))}
          </dl>
          <p>
            Everything is for reading: nothing in your directory can be changed. You can withdraw it at any time in the
            Entra admin center under Enterprise applications.
          </p>
        </section>
        <section aria-labelledby="who">
          <h2 id="who">Who can do this</h2>
          <p>
            A Global Administrator or a Privileged Role Administrator. Is that someone else? Send them the address of
            this page.
          </p>
          {tenant.expectedEntraTenant === null ? (
            <p>Microsoft may ask you to sign in twice: the second time shows that the directory is yours.</p>
          ) : (
            <p>
              Only this directory is accepted: <code>{tenant.expectedEntraTenant}</code>
            </p>
          )}
        </section>
        <form method="get" action={`${base}/connect/${token}/start`}>
          <button type="submit">Continue to Microsoft</button>
        </form>
      </>
    ),
  });
}

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
