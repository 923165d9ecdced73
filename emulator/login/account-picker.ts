import { html, type SafeHtml } from '../html.ts';
import type { ObjectRef } from '../directory/object-ref.ts';
import type { Tenant } from '../tenant.ts';

/** A person at the sign-in page: who, and of which directory. */
export interface SignedIn {
  readonly tenant: Tenant;
  readonly user: ObjectRef;
}

/** The accounts of some tenants as radio buttons, and a field for any other. */
export function accountPicker(tenants: readonly Tenant[], hint: string | undefined): SafeHtml {
  const accounts = tenants.flatMap((tenant) => tenant.accounts().map((account) => ({ tenant, account })));
  const wanted = hint?.toLowerCase();
  const hinted = accounts.findIndex(({ account }) => account.userPrincipalName.toLowerCase() === wanted);
  const chosen = hinted === -1 ? 0 : hinted;
  const options = accounts.map(
    ({ tenant, account }, i) =>
      html`<label
        ><input type="radio" name="account" value="${account.id}" ${i === chosen ? html`checked` : ''} />
        ${account.displayName}
        <small>${account.userPrincipalName} · ${account.part} of ${tenant.displayName}</small></label
      >`,
  );
  // A hint that names nobody on the list is somebody else of the directory.
  const typed = hinted === -1 && hint !== undefined ? hint : '';
  return html`<fieldset>
    <legend>Pick an account</legend>
    ${options}
    <label
      >Another account
      <input type="text" name="other_account" value="${typed}" autocomplete="off" placeholder="name@domain"
    /></label>
  </fieldset>`;
}

/** Who the posted form names. The typed name wins; an object id or a principal name will do. */
export function pickedAccount(tenants: readonly Tenant[], form: URLSearchParams): SignedIn | undefined {
  const name = pickedName(form);
  if (name === '') return undefined;
  for (const tenant of tenants) {
    const user = tenant.findAccount(name);
    if (user !== undefined) return { tenant, user };
  }
  return undefined;
}

export function pickedName(form: URLSearchParams): string {
  const typed = form.get('other_account')?.trim() ?? '';
  return typed === '' ? (form.get('account')?.trim() ?? '') : typed;
}
