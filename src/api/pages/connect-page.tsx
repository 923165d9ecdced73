import type { TenantRow } from '../../store/face/tenants.ts';
import { mayChooseGroups, type ChosenGroups } from '../consent/groups.ts';
import type { Reply } from '../reply.ts';
import { Groups } from './groups.tsx';
import { page } from './page.tsx';
import { Permissions } from './permissions.tsx';
import { nameOf, ownerOf } from './whom-it-serves.tsx';

type Fault = Extract<ChosenGroups, { ok: false }>;

/** What an administrator reads before anything happens. */
export function connectPage(tenant: TenantRow, token: string, base: string, fault?: Fault): Reply<never> {
  const known = tenant.phase !== 'awaiting_consent' || tenant.candidate !== null;
  return page({
    status: fault === undefined ? 200 : 400,
    title: 'Connect your Microsoft Entra ID directory',
    base,
    tenant,
    step: 'Start',
    content: (
      <>
        <p>
          Add the Microsoft Entra ID integration of <strong>{nameOf(tenant)}</strong>
          {tenant.presentation.owner === undefined ? '' : ` by ${ownerOf(tenant)}`}: it then knows the people and groups
          of your organization, and follows their changes by itself.
        </p>
        {known ? (
          <p class="notice">
            <a href={`${base}/connect/${token}/status`}>See how the connection stands now</a>
          </p>
        ) : null}
        <section aria-labelledby="permissions">
          <h2 id="permissions">What Microsoft will ask you to allow</h2>
          <Permissions tenant={tenant} />
          <p>Everything is for reading: nothing in your directory can be changed. You can withdraw it at any time.</p>
        </section>
        <section aria-labelledby="who">
          <h2 id="who">Who can do this</h2>
          <p>
            A Global Administrator or a Privileged Role Administrator. Is that someone else? Send them the address of
            this page.
          </p>
          {tenant.expectedEntraTenant === null ? (
            <p>
              Microsoft may ask you to sign in twice: the second time shows that the directory is yours. Then you see
              once more what is connected to what, and confirm it.
            </p>
          ) : (
            <p>
              Only this directory is accepted: <code>{tenant.expectedEntraTenant}</code>
            </p>
          )}
        </section>
        <form method="get" action={`${base}/connect/${token}/start`}>
          {mayChooseGroups(tenant) ? <GroupsField fault={fault} /> : <ChosenBefore tenant={tenant} />}
          <button type="submit">Connect</button>
        </form>
      </>
    ),
  });
}

function GroupsField({ fault }: { readonly fault: Fault | undefined }) {
  return (
    <>
      <h2>
        <label for="groups">Groups to Sync (optional)</label>
      </h2>
      <input
        id="groups"
        name="groupsToSync"
        type="text"
        autocomplete="off"
        value={fault?.given ?? ''}
        aria-describedby={fault === undefined ? 'groups-help' : 'groups-fault groups-help'}
        {...(fault === undefined ? {} : { 'aria-invalid': 'true' as const })}
      />
      {fault === undefined ? null : (
        <p id="groups-fault" class="notice bad" role="alert">
          Groups to Sync: {fault.fault}
        </p>
      )}
      <p id="groups-help" class="quiet">
        <small>
          Names or object ids with commas between them; a name that has a comma stands in quotes:{' '}
          <code>Sales, "Research, Development"</code>. Empty: all people and groups.
        </small>
      </p>
    </>
  );
}

/** Named by the product, or by an administrator before. */
function ChosenBefore({ tenant }: { readonly tenant: TenantRow }) {
  return (
    <>
      <h2>What is kept in sync</h2>
      <Groups groups={tenant.groupsToSync} />
    </>
  );
}
