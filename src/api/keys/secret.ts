import { createHash, randomBytes } from 'node:crypto';

const SHAPE = /^es_[\w-]{43}$/;

/** 256 bits by chance. The prefix lets scanners of repositories find a key that was left there. */
export const newKey = (): string => `es_${randomBytes(32).toString('base64url')}`;

/** What cannot be a key of ours need not be looked for. */
export const mayBeKey = (text: string): boolean => SHAPE.test(text);

export const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest();
