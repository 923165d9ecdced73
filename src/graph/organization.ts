/** What a person recognises a directory by. */
export interface Organization {
  readonly displayName: string | null;
  readonly domains: readonly string[];
}
