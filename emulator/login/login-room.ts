import { html, page } from '../html.ts';
import { htmlReply, redirectReply, segmentsOf, type HttpRequest, type Reply } from '../http/message.ts';
import type { World } from '../world.ts';
import { adminConsent } from './admin-consent.ts';
import { resolveAuthority } from './authority.ts';
import { authorize } from './authorize.ts';
import { instanceDiscovery, keySet, openidConfiguration } from './discovery.ts';
import { errorPage } from './pages.ts';
import { stsError, trailerOf } from './sts-error.ts';
import { tokenEndpoint } from './token.ts';

/** Everything under `login.microsoftonline.com`; undefined for an address that is not one of its. */
export function loginRoom(world: World, request: HttpRequest): Reply | undefined {
  const [tenant = '', ...rest] = segmentsOf(request.path);
  switch (rest.join('/').toLowerCase()) {
    case 'adminconsent':
      return adminConsent(world, request, tenant, 'v1');
    case 'v2.0/adminconsent':
      return adminConsent(world, request, tenant, 'v2');
    case 'oauth2/v2.0/authorize':
      return authorize(world, request, tenant);
    case 'oauth2/v2.0/token':
      return tokenEndpoint(world, request, tenant);
    case 'oauth2/v2.0/logout':
      return logout(world, request, tenant);
    case 'v2.0/.well-known/openid-configuration':
      return openidConfiguration(world, request, tenant);
    case 'discovery/v2.0/keys':
      return keySet(world, request, tenant);
    case 'discovery/instance':
      return instanceDiscovery(request);
    default:
      return undefined;
  }
}

/** Sends on to a redirect URI of a registration and to no other address, which would be an open redirect. */
function logout(world: World, request: HttpRequest, name: string): Reply {
  if (resolveAuthority(world, name).kind === 'unknown') {
    return errorPage(stsError(90002, { tenant: name }), trailerOf(request, world.clock));
  }
  const target = request.query.get('post_logout_redirect_uri') ?? '';
  const registered = [...world.registrations.values()].some(({ redirectUris }) => redirectUris.includes(target));
  if (registered) return redirectReply(target);
  return htmlReply(200, page('Sign out', html`<h1>You signed out of your account</h1>`));
}
