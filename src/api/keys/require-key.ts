import { timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import type { ApiDeps } from '../deps.ts';
import { answerProblem } from '../serve.ts';
import { whyNotAllowed, type Door } from './allowed.ts';
import { BOOTSTRAP, keepHolder, type KeyHolder } from './holder.ts';
import { hashOf, mayBeKey } from './secret.ts';

/**
 * Lets through whoever holds a key that opens this door: the one of the environment, or one that was made by the API.
 * Hashes are compared, so that neither content nor length shows in the time.
 */
export function requireKey(
  { store, config }: Pick<ApiDeps, 'store' | 'config'>,
  countRefusal: RequestHandler,
): (door: Door) => RequestHandler {
  const bootstrap = hashOf(config.apiKey);
  const holderOf = async (given: string): Promise<KeyHolder | undefined> => {
    const hash = hashOf(given);
    if (timingSafeEqual(hash, bootstrap)) return BOOTSTRAP;
    return mayBeKey(given) ? store.apiKeys.use(hash) : undefined;
  };
  return (door) => async (req, res, next) => {
    const given = bearerOf(req);
    const holder = given === undefined ? undefined : await holderOf(given);
    if (holder === undefined) {
      const challenge = given === undefined ? 'Bearer' : 'Bearer error="invalid_token"';
      const refuse = () => answerProblem(res, { type: 'unauthorized', headers: { 'WWW-Authenticate': challenge } });
      await countRefusal(req, res, refuse);
      return;
    }
    const detail = whyNotAllowed(door, holder);
    if (detail !== undefined) {
      answerProblem(res, { type: 'key-not-allowed', detail });
      return;
    }
    keepHolder(req, holder);
    next();
  };
}

const bearerOf = (req: Request): string | undefined => /^Bearer +(\S+) *$/i.exec(req.headers.authorization ?? '')?.[1];
