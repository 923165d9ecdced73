import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { answerProblem } from './serve.ts';

/** Lets through whoever holds the API key. Hashes are compared, so that neither content nor length shows in the time. */
export function requireKey(apiKey: string): RequestHandler {
  const wanted = sha256(apiKey);
  return (req, res, next) => {
    const given = /^Bearer +(\S+) *$/i.exec(req.headers.authorization ?? '')?.[1];
    if (given !== undefined && timingSafeEqual(sha256(given), wanted)) {
      next();
      return;
    }
    const challenge = given === undefined ? 'Bearer' : 'Bearer error="invalid_token"';
    answerProblem(res, { type: 'unauthorized', headers: { 'WWW-Authenticate': challenge } });
  };
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
