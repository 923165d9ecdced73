import { html, page } from '../html.ts';
import { htmlReply, redirectReply, segmentsOf, type HttpRequest, type Reply } from '../http/message.ts';
import type { World } from '../world.ts';
import { adminConsent } from './admin-consent.ts';
import { authorize } from './authorize.ts';
import { instanceDiscovery, keySet, openidConfiguration } from './discovery.ts';
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
      return logout(request);
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

function logout(request: HttpRequest): Reply {
  const target = request.query.get('post_logout_redirect_uri');
  if (target !== null && target !== '') return redirectReply(target);
  return htmlReply(200, page('Sign out', html`<h1>You signed out of your account</h1>`));
}
