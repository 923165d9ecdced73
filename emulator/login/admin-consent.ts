import { html } from '../html.ts';
import type { HttpRequest, Reply } from '../http/message.ts';
import type { AppRegistration } from '../registrations.ts';
import type { World } from '../world.ts';
import { accountPicker, pickedAccount, pickedName } from './account-picker.ts';
import { resolveAuthority, tenantsOf } from './authority.ts';
import { errorPage, formPage, needAdminApprovalPage, permissionList } from './pages.ts';
import { callback, callbackUrl } from './redirects.ts';
import { describe, stsError, trailerOf } from './sts-error.ts';

/** The two endpoints differ in what they ask for and in how they answer (reference, 1.1 and 1.2). */
export type ConsentStyle = 'v1' | 'v2';

/** `/{tenant}/adminconsent` and `/{tenant}/v2.0/adminconsent`: the page on GET, the decision on POST. */
export function adminConsent(world: World, request: HttpRequest, name: string, style: ConsentStyle): Reply {
  const trailer = trailerOf(request, world.clock);
  const fail = (...args: Parameters<typeof stsError>): Reply => errorPage(stsError(...args), trailer);
  const authority = resolveAuthority(world, name);
  if (authority.kind === 'unknown') return fail(90002, { tenant: name });
  const clientId = request.query.get('client_id') ?? '';
  if (clientId === '') return fail(900144, { parameter: 'client_id' });
  const registration = world.registration(clientId);
  if (registration === undefined) return fail(700016, { app: clientId, tenant: name });
  const redirectUri = request.query.get('redirect_uri') ?? '';
  // A mismatch is told to the person and never to the address: it could be anybody's.
  if (!registration.redirectUris.includes(redirectUri)) return fail(50011, { redirectUri, app: registration.clientId });
  const scope = request.query.get('scope') ?? '';
  if (style === 'v2' && scope === '') return fail(900144, { parameter: 'scope' });
  const tenants = tenantsOf(world, authority);
  const asked = askedFor(registration, style, scope);

  if (request.method !== 'POST') {
    const intro = html`<p>
        <strong>${registration.displayName}</strong> asks for permissions for your whole organization. Accepting grants
        them for all its users.
      </p>
      ${permissionList([...asked.application, ...asked.delegated])}`;
    const hint = request.query.get('login_hint') ?? undefined;
    return formPage(request, 'Permissions requested', intro, accountPicker(tenants, hint), 'Accept');
  }

  const form = new URLSearchParams(request.body);
  const state = request.query.get('state') ?? undefined;
  if (form.get('action') !== 'accept') return cancelled(redirectUri, state, style, form.get('action'), trailer);
  const picked = pickedAccount(tenants, form);
  if (picked === undefined) return fail(50034, { account: pickedName(form), tenant: name });
  const { tenant, user } = picked;
  if (tenant.directory.record(user)['accountEnabled'] === false) return fail(50057);
  if (!tenant.mayConsent(user)) {
    const error = stsError(90094);
    const back = callbackUrl(redirectUri, {
      ...(style === 'v2' ? { admin_consent: 'True' } : {}),
      error: error.error,
      error_description: describe(error, trailer, '\r\n'),
      state,
    });
    return needAdminApprovalPage(registration, error, trailer, back);
  }
  tenant.grants.consent(registration, tenant.settings.consentDelayMs, asked.application);
  return style === 'v1'
    ? callback(redirectUri, { tenant: tenant.id, state, admin_consent: 'True' })
    : callback(redirectUri, { admin_consent: 'True', tenant: tenant.id, scope, state });
}

/** Explicit scopes ask for those delegated permissions only; application permissions come through `/.default` or v1. */
function askedFor(
  registration: AppRegistration,
  style: ConsentStyle,
  scope: string,
): { readonly application: readonly string[]; readonly delegated: readonly string[] } {
  if (style === 'v1' || scope.split(' ').some((part) => part.endsWith('/.default'))) {
    return { application: registration.applicationPermissions, delegated: registration.delegatedPermissions };
  }
  return { application: [], delegated: scope.split(' ').map((part) => part.slice(part.lastIndexOf('/') + 1)) };
}

/**
 * The cancel button sends what is seen in practice; `action=decline` the answer that the pages document, whose v2 form
 * carries `admin_consent=True` although it is a refusal.
 */
function cancelled(
  redirectUri: string,
  state: string | undefined,
  style: ConsentStyle,
  action: string | null,
  trailer: ReturnType<typeof trailerOf>,
): Reply {
  if (action !== 'decline') return callback(redirectUri, { error: 'access_denied', error_subcode: 'cancel', state });
  if (style === 'v1') {
    // The documented sample of v1 has no state.
    const text = 'The admin canceled the request';
    return callback(redirectUri, { error: 'permission_denied', error_description: text });
  }
  const error = stsError(65004);
  return callback(redirectUri, {
    admin_consent: 'True',
    error: error.error,
    error_description: describe(error, trailer, '\r\n'),
    state,
  });
}
