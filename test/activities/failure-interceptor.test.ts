import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { presentable } from '../../src/activities/failure-interceptor.ts';
import { redact } from '../../src/activities/redact.ts';

function present(error: unknown, cancelled = false) {
  const told: unknown[] = [];
  const failure = presentable(error, cancelled, (one) => told.push(one));
  return { failure, told, text: JSON.stringify([failure, failure.message, failure.stack, failure.cause]) };
}

const SECRETS = [
  'eyJhbGciOiJSUzI1NiJ9.eyJyb2xlcyI6W119.c2ln',
  'Bearer opaque-t0ken',
  'https://graph.microsoft.com/v1.0/users/delta?$deltatoken=s3cretlink',
  'alice.canary@contoso.com',
  'client_secret=abc~8Q',
  'Key (tenant_no, id)=(1, Alice Canary) already exists',
  'invalid input syntax for type uuid: "Alice Canary"',
];

describe('an error on its way into history', () => {
  it.each(SECRETS)('says nothing of %s, and the log no more than its kind', (secret) => {
    const error = Object.assign(new Error(`It failed: ${secret}`, { cause: new Error(secret) }), {
      code: '23505',
      detail: secret,
    });
    const { failure, told, text } = present(error);
    expect(failure).toMatchObject({ type: 'Internal', message: '23505' });
    for (const canary of ['eyJ', 't0ken', 's3cret', 'anary', '8Q']) {
      expect(text).not.toContain(canary);
      expect(JSON.stringify(told)).not.toContain(canary);
    }
    expect(told).toMatchObject([
      { name: 'Error', code: '23505', at: expect.stringContaining('failure-interceptor.test') },
    ]);
  });

  it('keeps no code that could be a sentence', () => {
    const { failure } = present(Object.assign(new Error('x'), { code: 'alice@contoso.com' }));
    expect(failure.message).toBe('internal error');
    expect(present('a thrown string').failure.message).toBe('internal error');
  });

  it('passes what activities say themselves, and cancellation without its words', () => {
    const own = ApplicationFailure.nonRetryable('Microsoft gave no token', 'ConsentMissing', { aadsts: 700016 });
    expect(present(own)).toMatchObject({ failure: own, told: [] });
    for (const error of [new CancelledFailure(SECRETS[0]), new DOMException('x', 'AbortError')]) {
      const { failure, told, text } = present(error, true);
      expect(failure).toBeInstanceOf(CancelledFailure);
      expect(told).toEqual([]);
      expect(text).not.toContain('eyJ');
    }
    expect(present(new DOMException('x', 'AbortError')).failure).toMatchObject({ type: 'Internal' });
  });
});

describe('redaction', () => {
  it('leaves what helps', () => {
    const text = 'connect ECONNREFUSED 127.0.0.1:5432; relation "directory_user" does not exist';
    expect(redact(text)).toBe(text);
    expect(redact('GET https://graph.microsoft.com/v1.0/users?x=1 failed')).toBe(
      'GET https://graph.microsoft.com/[link] failed',
    );
  });
});
