import type { Actor } from '../../domain/audit.ts';
import type { Page } from './tenants.ts';

export interface NewAuditEntry {
  readonly actor: Actor;
  readonly keyId: string | null;
  /** Method and route, or the command: never a path, which may name people. */
  readonly action: string;
  readonly tenant: string | null;
  /** Something else than a tenant, by its id; never a person. */
  readonly subject: string | null;
  readonly address: string | null;
  readonly requestId: string | null;
}

export interface AuditEntry extends NewAuditEntry {
  readonly no: number;
  /** ISO 8601. */
  readonly at: string;
  /** Null where nothing is known of the key any more. */
  readonly keyName: string | null;
  /** Of the answer; null where it broke off. */
  readonly status: number | null;
}

export interface AuditStore {
  /** Before the deed. Returns the entry's number. */
  begin(entry: NewAuditEntry): Promise<number>;
  /** What is known by now of whom it was about, and what became of it. */
  note(no: number, entry: Pick<AuditEntry, 'tenant' | 'subject' | 'status'>): Promise<void>;
  /** The latest first. */
  list(after: string | undefined, limit: number, tenant?: string): Promise<Page<AuditEntry>>;
}
