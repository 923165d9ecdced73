import { describe, expect, it } from '@jest/globals';
import { failureOf, type Asked, type GraphFailure } from '../../src/graph/failures.ts';
import { retryAfterMs } from '../../src/graph/retry-after.ts';

const ID = '93b6f17e-c05d-4f45-ad2a-6665c708d8a0';

interface Case {
  readonly name: string;
  readonly status: number;
  readonly headers?: Record<string, string>;
  /** An error code, a whole body, 'html', or nothing. */
  readonly code?: string;
  readonly body?: unknown;
  readonly html?: boolean;
  readonly message?: string;
  readonly asked?: Asked;
  readonly means: GraphFailure;
}

// Sections 4.5, 5.1, 8.2 of the reference. `asked` is 'nextLink' unless it says otherwise.
const CASES: readonly Case[] = [
  {
    name: '429 with seconds',
    status: 429,
    headers: { 'retry-after': '10' },
    code: 'TooManyRequests',
    means: { kind: 'throttled', retryAfterMs: 10_000 },
  },
  { name: '429 without a wait', status: 429, code: 'activityLimitReached', means: { kind: 'throttled' } },
  { name: '429 in HTML', status: 429, html: true, means: { kind: 'throttled' } },
  { name: '401', status: 401, code: 'InvalidAuthenticationToken', means: { kind: 'token_rejected', requestId: ID } },
  { name: '401 without a body', status: 401, means: { kind: 'token_rejected', requestId: ID } },
  {
    name: '403',
    status: 403,
    code: 'Authorization_RequestDenied',
    means: { kind: 'forbidden', code: 'Authorization_RequestDenied', requestId: ID },
  },
  {
    name: '403 with a claims challenge',
    status: 403,
    code: 'accessDenied',
    headers: { 'www-authenticate': 'Bearer error="insufficient_claims", claims="e30="' },
    means: { kind: 'token_rejected', requestId: ID },
  },
  { name: '403 of a proxy', status: 403, html: true, means: { kind: 'unavailable', requestId: ID } },
  { name: '404', status: 404, code: 'Request_ResourceNotFound', means: { kind: 'not_found', requestId: ID } },
  {
    name: '(a) reset of a delta link',
    status: 410,
    code: 'resyncRequired',
    asked: 'deltaLink',
    means: { kind: 'delta_expired' },
  },
  { name: '(a) reset in the middle of paging', status: 410, code: 'RESYNCREQUIRED', means: { kind: 'delta_expired' } },
  { name: '410 without a body', status: 410, asked: 'deltaLink', means: { kind: 'delta_expired' } },
  { name: '410 in HTML', status: 410, html: true, asked: 'deltaLink', means: { kind: 'delta_expired' } },
  {
    name: '410 of an entity',
    status: 410,
    code: 'gone',
    asked: 'entity',
    means: { kind: 'refused', code: 'gone', requestId: ID },
  },
  {
    name: '(b) documented expiry',
    status: 400,
    code: 'syncStateNotFound',
    asked: 'deltaLink',
    means: { kind: 'delta_expired' },
  },
  {
    name: '(b) with another 40X',
    status: 404,
    code: 'SyncStateNotFound',
    asked: 'deltaLink',
    means: { kind: 'delta_expired' },
  },
  {
    name: '(b) with a refusal',
    status: 403,
    code: 'syncStateNotFound',
    asked: 'deltaLink',
    means: { kind: 'delta_expired' },
  },
  {
    name: '(c) old delta link',
    status: 400,
    code: 'Request_UnsupportedQuery',
    message: 'DeltaLink older than 30 days is not supported.',
    asked: 'deltaLink',
    means: { kind: 'delta_expired' },
  },
  {
    name: '(c) as a bad query',
    status: 400,
    code: 'Request_UnsupportedQuery',
    asked: 'initial',
    means: { kind: 'refused', code: 'Request_UnsupportedQuery', requestId: ID },
  },
  {
    name: '(c) on a page',
    status: 400,
    code: 'Request_UnsupportedQuery',
    means: { kind: 'refused', code: 'Request_UnsupportedQuery', requestId: ID },
  },
  { name: '(d) Outlook', status: 410, code: 'SyncStateNotFound', asked: 'deltaLink', means: { kind: 'delta_expired' } },
  {
    name: '(e) broken token',
    status: 400,
    code: 'Request_BadRequest',
    message: 'Badly formed token.',
    asked: 'deltaLink',
    means: { kind: 'delta_expired' },
  },
  { name: '(e) invalid state', status: 400, code: 'SyncStateInvalid', means: { kind: 'delta_expired' } },
  {
    name: '(e) words in answer to an initial query',
    status: 400,
    code: 'Request_BadRequest',
    message: 'Badly formed token.',
    asked: 'initial',
    means: { kind: 'refused', code: 'Request_BadRequest', requestId: ID },
  },
  { name: '(f) page token', status: 400, code: 'Directory_ExpiredPageToken', means: { kind: 'delta_expired' } },
  {
    name: '(f) named in the text',
    status: 400,
    code: 'UnknownError',
    message: 'DirectoryPageTokenNotFoundException',
    means: { kind: 'delta_expired' },
  },
  {
    name: '(f) as an inner code',
    status: 400,
    body: { error: { code: 'BadRequest', message: '', innererror: { code: 'directory_expiredPageToken' } } },
    means: { kind: 'delta_expired' },
  },
  {
    name: '(e) without a word about a token',
    status: 400,
    code: 'Request_BadRequest',
    means: { kind: 'delta_expired' },
  },
  {
    name: '(e) of a delta link, with a code of nobody’s',
    status: 400,
    code: 'somethingNew',
    asked: 'deltaLink',
    means: { kind: 'delta_expired' },
  },
  { name: '400 in HTML', status: 400, html: true, asked: 'deltaLink', means: { kind: 'unavailable', requestId: ID } },
  {
    name: '400 of an initial query',
    status: 400,
    code: 'Request_BadRequest',
    asked: 'initial',
    means: { kind: 'refused', code: 'Request_BadRequest', requestId: ID },
  },
  {
    name: '400 of an entity',
    status: 400,
    code: 'Request_BadRequest',
    asked: 'entity',
    means: { kind: 'refused', code: 'Request_BadRequest', requestId: ID },
  },
  {
    name: '400 with an empty code',
    status: 400,
    body: { error: { code: '', message: 'x' } },
    asked: 'initial',
    means: { kind: 'refused', code: 'Http400', requestId: ID },
  },
  {
    name: '400 with a code that is a sentence',
    status: 400,
    code: 'alice@contoso.com does not exist',
    asked: 'initial',
    means: { kind: 'refused', code: 'Http400', requestId: ID },
  },
  {
    name: '501',
    status: 501,
    code: 'NotImplemented',
    means: { kind: 'refused', code: 'NotImplemented', requestId: ID },
  },
  { name: '500', status: 500, code: 'UnknownError', means: { kind: 'unavailable', requestId: ID } },
  {
    name: '503 with a wait',
    status: 503,
    headers: { 'retry-after': '120' },
    code: 'ServiceNotAvailable',
    means: { kind: 'unavailable', busy: true, retryAfterMs: 120_000, requestId: ID },
  },
  { name: '503 in HTML', status: 503, html: true, means: { kind: 'unavailable', busy: true, requestId: ID } },
  { name: '504 without a body', status: 504, means: { kind: 'unavailable', requestId: ID } },
  { name: '509', status: 509, means: { kind: 'unavailable', requestId: ID } },
  { name: '408', status: 408, means: { kind: 'unavailable', requestId: ID } },
  { name: '423', status: 423, code: 'locked', means: { kind: 'unavailable', requestId: ID } },
  {
    name: 'a redirect',
    status: 302,
    headers: { location: 'https://proxy.example/' },
    means: { kind: 'unavailable', requestId: ID },
  },
];

describe('what an answer of Graph means', () => {
  it.each(CASES)('$name', ({ status, headers, code, body, html, message, asked, means }) => {
    const parsed = body ?? (code === undefined ? undefined : { error: { code, message: message ?? '' } });
    const answer = {
      status,
      headers: new Headers({ 'request-id': ID, ...headers }),
      body: parsed,
      empty: !html && !parsed,
    };
    expect(failureOf(answer, asked ?? 'nextLink')).toEqual(means);
  });

  it('takes the request id from the body, under both spellings, and none that is no id', () => {
    for (const inner of ['innerError', 'innererror']) {
      const body = { error: { code: 'x', [inner]: { 'request-id': ID } } };
      expect(failureOf({ status: 403, headers: new Headers(), body, empty: false }, 'entity')).toEqual({
        kind: 'forbidden',
        code: 'x',
        requestId: ID,
      });
    }
    const headers = new Headers({ 'request-id': 'alice@contoso.com said' });
    expect(failureOf({ status: 403, headers, body: {}, empty: false }, 'entity')).toEqual({ kind: 'forbidden' });
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-11-21T09:00:00Z');
  it.each([
    ['10', 10_000],
    ['0', 0],
    ['1.5', 1_500],
    ['Sat, 21 Nov 2026 09:01:00 GMT', 60_000],
    ['Sat, 21 Nov 2026 08:00:00 GMT', 0],
    ['soon', undefined],
    ['', undefined],
    ['99999999', 86_400_000],
  ])('%s', (text, ms) => {
    expect(retryAfterMs(new Headers(text === '' ? {} : { 'retry-after': text }), now)).toBe(ms);
  });
});
