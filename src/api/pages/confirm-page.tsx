import type { Organization } from '../../graph/organization.ts';
import type { TenantRow } from '../../store/face/tenants.ts';
import type { Reply } from '../reply.ts';
import { Groups } from './groups.tsx';
import { page } from './page.tsx';
import { nameOf, ownerOf } from './whom-it-serves.tsx';

interface Shown {
  readonly directory: string;
  /** Null where Microsoft does not show it, or not yet. */
  readonly organization: Organization | null;
  readonly account: string | null;
  readonly name: string | null;
  readonly groups: readonly string[];
  readonly needsApproval: boolean;
}

/** Is this right? Which directory goes to whom, by whose word; nothing is bound before the answer. */
export function confirmPage(
  tenant: TenantRow,
  shown: Shown,
  fields: { readonly state: string; readonly csrf: string },
  base: string,
): Reply<never> {
  const hidden = Object.entries(fields).map(([name, value]) => <input type="hidden" name={name} value={value} />);
  const groups = tenant.groupsToSync.length > 0 ? tenant.groupsToSync : shown.groups;
  return page({
    status: 200,
    title: 'Is this right?',
    base,
    tenant,
    step: 'Is this right?',
    content: (
      <>
        <p>Microsoft has recorded your consent. Nothing is read before you confirm what belongs together.</p>
        <div class="pair">
          <section aria-labelledby="from">
            <h2 id="from">This Microsoft Entra ID directory</h2>
            <Directory shown={shown} />
          </section>
          <div class="arrow" aria-hidden="true">
            ↓
          </div>
          <section aria-labelledby="to">
            <h2 id="to">is connected to this environment</h2>
            <p class="big">{nameOf(tenant)}</p>
            <dl class="facts">
              <dt>Owner</dt>
              <dd>{tenant.presentation.owner ?? 'not named'}</dd>
              <dt>Environment</dt>
              <dd>
                <code>{tenant.id}</code>
              </dd>
            </dl>
          </section>
        </div>
        <h2>What it will read</h2>
        <Groups groups={groups} />
        {shown.needsApproval ? (
          <p class="notice">After your answer {ownerOf(tenant)} has to approve the connection.</p>
        ) : null}
        <form method="post" action={`${base}/consent/confirm`}>
          {hidden}
          <button type="submit">Confirm</button>
        </form>
        <form method="post" action={`${base}/consent/reject`}>
          {hidden}
          <button type="submit" class="secondary outline">
            Not mine
          </button>
        </form>
      </>
    ),
  });
}

function Directory({ shown: { directory, organization, account, name } }: { readonly shown: Shown }) {
  const domains = organization?.domains ?? [];
  const known = organization?.displayName ?? domainOf(account);
  return (
    <>
      {known === undefined ? null : <p class="big">{known}</p>}
      <dl class="facts">
        {domains.length === 0 ? null : (
          <>
            <dt>Domains</dt>
            <dd>{domains.join(', ')}</dd>
          </>
        )}
        <dt>Directory ID</dt>
        <dd>
          <code>{directory}</code>
        </dd>
        <dt>Signed in</dt>
        <dd>
          {name === null ? null : `${name}, `}
          {account ?? 'an account whose name Microsoft does not show'}
        </dd>
      </dl>
      {organization === null ? (
        <p class="quiet">
          <small>
            Microsoft does not show us the directory's name. You find its id in the Entra admin center under Overview,
            as Tenant ID.
          </small>
        </p>
      ) : null}
    </>
  );
}

/** Of the account that signed in: what people know a directory by where its name cannot be read. */
const domainOf = (account: string | null): string | undefined => account?.split('@')[1];
