import type { Logger } from 'pino';
import type { AuditStore, NewAuditEntry } from '../store/face/audit.ts';

/** Of whom or what a request is, where its path does not say so. */
export interface Concern {
  readonly tenant?: string;
  /** Something else than a tenant, such as an API key, by its id. */
  readonly subject?: string;
}

/**
 * A request's line in the audit log. It is written before the deed, so that no change goes unwritten where the process dies,
 * and ended with the status of the answer.
 */
export class Trail {
  readonly #audit: AuditStore;
  readonly #log: Logger;
  readonly #who: Omit<NewAuditEntry, keyof Concern>;
  #about: Required<{ [K in keyof Concern]: string | null }> = { tenant: null, subject: null };
  #no: number | undefined;

  constructor(audit: AuditStore, log: Logger, who: Omit<NewAuditEntry, keyof Concern>) {
    this.#audit = audit;
    this.#log = log;
    this.#who = who;
  }

  /** Begins the line, or says more of one that has begun. */
  async concerns(about: Concern): Promise<void> {
    this.#about = { ...this.#about, ...about };
    if (this.#no === undefined) this.#no = await this.#audit.begin({ ...this.#who, ...this.#about });
    else await this.#audit.note(this.#no, { ...this.#about, status: null });
  }

  /** Never rejects: what was done is answered for, whatever becomes of the line's end. */
  async end(status: number): Promise<void> {
    if (this.#no === undefined) return;
    try {
      await this.#audit.note(this.#no, { ...this.#about, status });
    } catch (error) {
      this.#log.warn({ err: error, requestId: this.#who.requestId }, 'An entry of the audit log has no end');
    }
  }
}
