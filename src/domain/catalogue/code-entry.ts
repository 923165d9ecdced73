import type { ProblemCode } from '../problem.ts';
import type { Owner, Remedy } from './remedies.ts';

/**
 * `revoked`: the customer took the connection back, or never made it. `configuration`: something is set wrongly, mostly
 * by whoever runs the product. `user action`: a person at the customer's must do something. `transient`: it passes.
 */
export const CODE_CLASSES = ['revoked', 'configuration', 'user action', 'transient'] as const;
export type CodeClass = (typeof CODE_CLASSES)[number];

/** What is known of one of Microsoft's codes. */
export interface CodeEntry {
  readonly class: CodeClass;
  readonly who: Owner;
  readonly cause: string;
  readonly remedy: Remedy;
  /** The problem of a tenant that it leads to. */
  readonly problem?: ProblemCode;
}
