import { randomUUID } from 'node:crypto';
import { html } from '../html.ts';
import type { HttpRequest, Reply } from '../http/message.ts';
import type { AppRegistration } from '../registrations.ts';
import type { World } from '../world.ts';
import { accountPicker, pickedAccount, pickedName, type SignedIn } from './account-picker.ts';
import { resolveAuthority, tenantsOf, type Authority } from './authority.ts';
import { errorPage, formPage, formPostPage, needAdminApprovalPage, permissionList } from './pages.ts';
import { callback, callbackUrl } from './redirects.ts';
import { describe, stsError, trailerOf, type StsError, type Trailer } from './sts-error.ts';

interface AuthorizeRequest {
  readonly registration: AppRegistration;
  readonly authority: Exclude<Authority, { kind: 'unknown' }>;
  readonly redirectUri: string;
  readonly responseMode: string;
  readonly scope: string;
  readonly state: string | undefined;
  readonly nonce: string | undefined;
  readonly challenge: string | undefined;
  readonly trailer: Trailer;
}

/** `/{tenant}/oauth2/v2.0/authorize`: the sign-in page on GET, the choice of an account on POST. */
export function authorize(world: World, request: HttpRequest, name: string): Reply {
  const trailer = trailerOf(request, world.clock);
  const fail = (...args: Parameters<typeof stsError>): Reply => errorPage(stsError(...args), trailer);
  const { query } = request;
  const authority = resolveAuthority(world, name);
  if (authority.kind === 'unknown') return fail(90002, { tenant: name });
  const clientId = query.get('client_id') ?? '';
  const registration = world.registration(clientId);
  if (registration === undefined) return fail(700016, { app: clientId, tenant: name });
  const redirectUri = query.get('redirect_uri') ?? '';
  if (!registration.redirectUris.includes(redirectUri)) return fail(50011, { redirectUri, app: registration.clientId });
  const asked: AuthorizeRequest = {
    registration,
    authority,
    redirectUri,
    responseMode: query.get('response_mode') ?? 'query',
    scope: query.get('scope') ?? '',
    state: query.get('state') ?? undefined,
    nonce: query.get('nonce') ?? undefined,
    challenge: query.get('code_challenge') ?? undefined,
    trailer,
  };
  const malformed = checkParameters(query, asked);
  if (malformed !== undefined) return sendError(asked, malformed);
  const tenants = tenantsOf(world, authority);
  if (request.method !== 'POST') {
    // Nobody is ever signed in here beforehand, so a silent request always needs a person.
    if (query.get('prompt') === 'none') return sendError(asked, { ...stsError(16000), error: 'login_required' });
    const intro = html`<p>to continue to <strong>${registration.displayName}</strong></p>`;
    return formPage(request, 'Sign in', intro, accountPicker(tenants, query.get('login_hint') ?? undefined), 'Sign in');
  }
  const form = new URLSearchParams(request.body);
  if (form.get('action') === 'cancel') {
    return send(asked, { error: 'access_denied', error_subcode: 'cancel', state: asked.state });
  }
  const picked = pickedAccount(tenants, form);
  if (picked === undefined) return fail(50034, { account: pickedName(form), tenant: name });
  if (picked.tenant.directory.record(picked.user)['accountEnabled'] === false) return fail(50057);
  return signedIn(world, request, asked, picked, form.get('action') === 'consent');
}

function checkParameters(query: URLSearchParams, asked: AuthorizeRequest): StsError | undefined {
  const responseType = query.get('response_type') ?? '';
  if (responseType !== 'code') return stsError(70005, { value: responseType });
  if (!asked.scope.split(' ').includes('openid')) return stsError(70011, { scope: asked.scope });
  if (asked.challenge !== undefined) {
    const method = query.get('code_challenge_method') ?? 'plain';
    if (method !== 'S256' || asked.challenge.length !== 43) return stsError(50147);
  }
  return undefined;
}

function signedIn(
  world: World,
  request: HttpRequest,
  asked: AuthorizeRequest,
  who: SignedIn,
  consents: boolean,
): Reply {
  const { registration } = asked;
  const { tenant, user } = who;
  const account = tenant.account(user);
  const principal = tenant.grants.principalOf(registration.clientId);
  const app = { app: registration.clientId, name: registration.displayName };
  if (principal === undefined) {
    // The app is unknown to this directory. An administrator may consent here and now, for himself alone; anybody else
    // is told to ask one, and nothing goes back to the application unless he follows the link.
    if (!tenant.mayConsent(user)) {
      const error = stsError(90094);
      const back = callbackUrl(asked.redirectUri, errorParameters(asked, error));
      return needAdminApprovalPage(registration, error, asked.trailer, back);
    }
    if (!consents) return consentPage(request, asked, account.id);
    tenant.grants.consentAsUser(registration, user, asked.scope.split(' '));
    return issueCode(world, asked, who);
  }
  const record = tenant.directory.record(principal);
  if (record['accountEnabled'] === false) return errorPage(stsError(7000112, app), asked.trailer);
  if (record['appRoleAssignmentRequired'] === true && !isAssigned(who, principal)) {
    return sendError(asked, stsError(50105, { ...app, account: account.userPrincipalName }));
  }
  if (tenant.settings.blockedByPolicy.includes('users')) return sendError(asked, stsError(53003));
  return issueCode(world, asked, who);
}

/** Assigned in person or as a direct member of an assigned group; nested groups do not count (reference, 1.9). */
function isAssigned({ tenant, user }: SignedIn, principal: number): boolean {
  return tenant.grants.assignedTo(principal).some((assignment) => {
    if (assignment.principalType === 'User') return assignment.principal === user;
    if (assignment.principalType !== 'Group') return false;
    return tenant.readView().isMember(assignment.principal, user);
  });
}

function consentPage(request: HttpRequest, asked: AuthorizeRequest, accountId: string): Reply {
  const intro = html`<p><strong>${asked.registration.displayName}</strong> would like to:</p>
    ${permissionList(asked.scope.split(' '))}`;
  const fields = html`<input type="hidden" name="account" value="${accountId}" />
    <button class="primary" type="submit" name="action" value="consent">Accept</button>`;
  return formPage(request, 'Permissions requested', intro, fields, 'Back');
}

function issueCode(world: World, asked: AuthorizeRequest, { tenant, user }: SignedIn): Reply {
  const code = world.codes.issue(
    {
      clientId: asked.registration.clientId,
      redirectUri: asked.redirectUri,
      authority: asked.authority.name,
      tenantId: tenant.id,
      userId: tenant.directory.idOf(user),
      nonce: asked.nonce,
      scope: asked.scope,
      challenge: asked.challenge,
    },
    world.clock.now(),
  );
  return send(asked, { code, state: asked.state, session_state: randomUUID() });
}

function errorParameters(asked: AuthorizeRequest, error: StsError): Record<string, string | undefined> {
  return {
    error: error.error,
    error_description: describe(error, asked.trailer, '\r\n'),
    state: asked.state,
  };
}

function sendError(asked: AuthorizeRequest, error: StsError): Reply {
  return send(asked, errorParameters(asked, error));
}

function send(asked: AuthorizeRequest, parameters: Readonly<Record<string, string | undefined>>): Reply {
  if (asked.responseMode !== 'form_post') {
    return callback(asked.redirectUri, parameters, asked.responseMode === 'fragment' ? '#' : '?');
  }
  const given = Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return formPostPage(asked.redirectUri, Object.fromEntries(given) as Record<string, string>);
}
