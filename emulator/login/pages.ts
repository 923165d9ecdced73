import { html, page, type SafeHtml } from '../html.ts';
import { htmlReply, type HttpRequest, type Reply } from '../http/message.ts';
import { PERMISSION_TITLES } from '../permissions.ts';
import type { AppRegistration } from '../registrations.ts';
import { describe, type StsError, type Trailer } from './sts-error.ts';

/** A refusal that stays on Microsoft's page: nothing is sent to the application. */
export function errorPage(error: StsError, trailer: Trailer, status = 400): Reply {
  const body = html`<h1>Sign in</h1>
    <p>Sorry, but we’re having trouble signing you in.</p>
    <p><code>${describe(error, trailer, ' ')}</code></p>
    <p>
      <small>Request Id: ${trailer.traceId}<br />Correlation Id: ${trailer.correlationId}</small>
    </p>`;
  return htmlReply(status, page('Sign in to your account', body), {
    'x-ms-request-id': trailer.traceId,
    'Cache-Control': 'no-store',
  });
}

/** AADSTS90094: only an administrator may grant this. The way back to the application is a link, as on the real page. */
export function needAdminApprovalPage(
  registration: AppRegistration,
  error: StsError,
  trailer: Trailer,
  back: string,
): Reply {
  const body = html`<h1>Need admin approval</h1>
    <p>
      ${registration.displayName} needs permission to access resources in your organization that only an admin can
      grant. Please ask an admin to grant permission to this app before you can use it.
    </p>
    <p><a href="${back}">Return to the application without granting consent</a></p>
    <p>
      <small><code>${describe(error, trailer, ' ')}</code></small>
    </p>`;
  return htmlReply(200, page('Need admin approval', body), { 'Cache-Control': 'no-store' });
}

/** A form that posts back to the address it was shown at. */
export function formPage(
  request: HttpRequest,
  title: string,
  intro: SafeHtml,
  fields: SafeHtml,
  accept: string,
): Reply {
  const body = html`<h1>${title}</h1>
    ${intro}
    <form method="post" action="${request.path}${request.search}">
      ${fields}
      <button class="primary" type="submit" name="action" value="accept">${accept}</button>
      <button type="submit" name="action" value="cancel">Cancel</button>
    </form>`;
  return htmlReply(200, page(title, body), { 'Cache-Control': 'no-store' });
}

export function permissionList(names: readonly string[]): SafeHtml {
  return html`<ul>
    ${names.map((name) => html`<li>${PERMISSION_TITLES[name] ?? name} <small>${name}</small></li>`)}
  </ul>`;
}

/** A page that posts parameters to the application by itself: `response_mode=form_post`. */
export function formPostPage(target: string, parameters: Readonly<Record<string, string>>): Reply {
  const fields = Object.entries(parameters).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
  );
  const body = html`<form method="post" action="${target}">
      ${fields}
      <noscript><p>Script is disabled. Press Submit to go on.</p></noscript>
      <button type="submit">Submit</button>
    </form>
    <script>
      document.forms[0].submit();
    </script>`;
  return htmlReply(200, page('Working...', body), { 'Cache-Control': 'no-store' });
}
