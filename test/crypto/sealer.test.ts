import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { parseEncryptionKeys } from '../../src/crypto/encryption-keys.ts';
import { createSealer } from '../../src/crypto/sealer.ts';

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const old = key('2025');
const young = key('2026');
const sealer = createSealer(parseEncryptionKeys(old));
const rotated = createSealer(parseEncryptionKeys(`${young}, ${old}`));
const foreign = createSealer(parseEncryptionKeys(key('2025')));

describe('sealing', () => {
  it('gives back what was sealed, under the same context', () => {
    const sealed = sealer.seal('eyJ tokén', 'token/tenant/42');
    expect(Buffer.from(sealed).toString('latin1')).not.toContain('eyJ');
    expect(sealer.open(sealed, 'token/tenant/42')).toBe('eyJ tokén');
    expect(sealer.open(sealer.seal('', 'x'), 'x')).toBe('');
  });

  it('does not open for another tenant', () => {
    expect(() => sealer.open(sealer.seal('t', 'token/tenant/42'), 'token/tenant/43')).toThrow(
      /sealed as something else/,
    );
  });

  it('never seals twice alike', () => {
    expect(sealer.seal('t', 'c')).not.toEqual(sealer.seal('t', 'c'));
  });

  it('opens under a rotated key and seals under the new one', () => {
    expect(rotated.open(sealer.seal('t', 'c'), 'c')).toBe('t');
    expect(() => sealer.open(rotated.seal('t', 'c'), 'c')).toThrow(/"2026", which ENCRYPTION_KEYS does not hold/);
  });

  it('refuses another key under the same id, and any changed, missing or added byte', () => {
    const sealed = sealer.seal('token', 'c');
    expect(() => foreign.open(sealed, 'c')).toThrow(/do not open/);
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => sealer.open(changed, 'c')).toThrow();
      expect(() => sealer.open(sealed.subarray(0, at), 'c')).toThrow();
    }
    expect(() => sealer.open(Buffer.concat([sealed, Buffer.from([0])]), 'c')).toThrow();
  });
});

describe('signing', () => {
  it('verifies its own signature for the same purpose and message only', () => {
    const signature = sealer.sign('setup-link', '42.1');
    expect(signature).toMatch(/^[\w-]{43}$/);
    expect(sealer.verify('setup-link', '42.1', signature)).toBe(true);
    expect(sealer.verify('setup-link', '42.2', signature)).toBe(false);
    expect(sealer.verify('cookie', '42.1', signature)).toBe(false);
    expect(foreign.verify('setup-link', '42.1', signature)).toBe(false);
  });

  it('survives a rotation', () => {
    expect(rotated.verify('setup-link', '42.1', sealer.sign('setup-link', '42.1'))).toBe(true);
    expect(sealer.verify('setup-link', '42.1', rotated.sign('setup-link', '42.1'))).toBe(false);
  });

  it('refuses other spellings of a signature', () => {
    const signature = sealer.sign('p', 'm');
    for (const other of ['', 'x', `${signature}=`, `${signature}A`, signature.slice(1), `${signature}\n`]) {
      expect(sealer.verify('p', 'm', other)).toBe(false);
    }
  });
});

describe('reading ENCRYPTION_KEYS', () => {
  it('lists every fault, and quotes no key', () => {
    const secret = randomBytes(32).toString('base64');
    const text = [secret, `a b:${secret}`, `short:${secret.slice(4)}`, `k:${secret}`, `k:${secret}`].join(',');
    const read = () => parseEncryptionKeys(text);
    expect(read).toThrow(/entry 1 has no id.*id of entry 2 must.*key of entry 3 is not base64.*entry 5 is used twice/);
    try {
      read();
    } catch (error) {
      expect(String(error)).not.toContain(secret.slice(4));
    }
    expect(() => parseEncryptionKeys(' , ')).toThrow(/no key is given/);
  });

  it('keeps the order', () => {
    expect(parseEncryptionKeys(`${young},${old}`).map(({ id }) => id)).toEqual(['2026', '2025']);
  });
});
