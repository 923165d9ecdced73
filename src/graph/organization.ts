import type { GraphClient } from './client.ts';
import { isObject, textOf } from './json.ts';

/** What a person recognises a directory by. */
export interface Organization {
  readonly displayName: string | null;
  readonly domains: readonly string[];
}

/** Null where the directory does not let us read it: no permission that we ask for promises it (3.6). */
export async function readOrganization(
  client: GraphClient,
  accessToken: string,
  signal?: AbortSignal,
): Promise<Organization | null> {
  const reply = await client.get('/organization?$select=id,displayName,verifiedDomains', {
    accessToken,
    asked: 'entity',
    ...(signal ? { signal } : {}),
  });
  const value = reply.kind === 'ok' ? reply.body['value'] : undefined;
  const organization: unknown = Array.isArray(value) ? value[0] : undefined;
  if (!isObject(organization)) return null;
  const verified = organization['verifiedDomains'];
  const domains = Array.isArray(verified) ? verified.filter(isObject) : [];
  // The default domain first: it is the one that people know.
  domains.sort((a, b) => Number(b['isDefault'] === true) - Number(a['isDefault'] === true));
  return {
    displayName: textOf(organization['displayName']) ?? null,
    domains: domains.map((domain) => textOf(domain['name'])).filter((name) => name !== undefined),
  };
}
