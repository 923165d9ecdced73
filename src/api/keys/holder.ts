import type { Request } from 'express';
import type { KeyRole } from '../../domain/api-key.ts';

/** Who came with a key, and what it is for. */
export interface KeyHolder {
  readonly id: string;
  readonly role: KeyRole;
  /** The one tenant that the key is for; null: all. */
  readonly tenant: { readonly no: number; readonly id: string } | null;
}

/** Of `API_KEY`: no row, no way to revoke it but another environment. */
export const BOOTSTRAP: KeyHolder = { id: 'bootstrap', role: 'administrator', tenant: null };

const holders = new WeakMap<Request, KeyHolder>();
export const keepHolder = (req: Request, holder: KeyHolder): void => void holders.set(req, holder);
export const holderOf = (req: Request): KeyHolder | undefined => holders.get(req);

/** The least where nothing is known. */
export const roleOf = ({ key }: { readonly key: KeyHolder | undefined }): KeyRole => key?.role ?? 'reader';
