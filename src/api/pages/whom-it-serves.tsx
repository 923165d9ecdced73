import type { TenantRow } from '../../store/face/tenants.ts';

/**
 * Every page says whom it serves. The set-up link of a stranger's environment looks like any other link: the names and the
 * address to ask are what an administrator can recognise it by.
 */
export const nameOf = (tenant: TenantRow): string => tenant.name ?? tenant.id;

/** Who runs the product, as far as it is told. */
export const ownerOf = (tenant: TenantRow): string => tenant.presentation.owner ?? nameOf(tenant);

export function Header({ tenant }: { readonly tenant: TenantRow }) {
  const { logoUrl, owner } = tenant.presentation;
  return (
    <header>
      {logoUrl === undefined ? null : <img src={logoUrl} alt="" width="48" height="48" />}
      <p>
        <strong>{nameOf(tenant)}</strong>
        {owner === undefined ? null : <small>by {owner}</small>}
      </p>
    </header>
  );
}

export function Footer({ tenant }: { readonly tenant: TenantRow }) {
  const { owner, contact, returnUrl } = tenant.presentation;
  return (
    <footer>
      <p>
        This page serves the environment <strong>{nameOf(tenant)}</strong> (<code>{tenant.id}</code>)
        {owner === undefined ? '' : ` of ${owner}`}. If you do not know it, close the page: nothing happens then.
      </p>
      {contact === undefined && returnUrl === undefined ? null : (
        <p>
          {contact === undefined ? null : (
            <>
              Questions: <Contact contact={contact} />
              {returnUrl === undefined ? '' : ' · '}
            </>
          )}
          {returnUrl === undefined ? null : <a href={returnUrl}>Back to {ownerOf(tenant)}</a>}
        </p>
      )}
    </footer>
  );
}

const isMail = (contact: string): boolean => !contact.startsWith('https:');

function Contact({ contact }: { readonly contact: string }) {
  return isMail(contact) ? (
    <a href={`mailto:${encodeURI(contact)}`}>{contact}</a>
  ) : (
    <a href={contact}>{new URL(contact).host}</a>
  );
}

/** The address for a mail to whoever runs the product, or none. */
export function mailOf(tenant: TenantRow | undefined): string {
  const contact = tenant?.presentation.contact;
  return contact !== undefined && isMail(contact) ? contact : '';
}
