import { redirectReply, type Reply } from '../http/message.ts';

/**
 * Microsoft writes its callback queries with lower-case percent escapes (reference, 1.2). They mean the same; a client that
 * compares text instead of decoding would notice the difference.
 */
function escapeValue(value: string): string {
  return encodeURIComponent(value).replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
}

export function callbackUrl(
  target: string,
  parameters: Readonly<Record<string, string | undefined>>,
  mark = '?',
): string {
  const query = Object.entries(parameters)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${escapeValue(value)}`]))
    .join('&');
  const separator = mark === '?' && target.includes('?') ? '&' : mark;
  return `${target}${separator}${query}`;
}

export function callback(target: string, parameters: Readonly<Record<string, string | undefined>>, mark = '?'): Reply {
  return redirectReply(callbackUrl(target, parameters, mark));
}
