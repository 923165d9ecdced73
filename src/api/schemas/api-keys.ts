import * as z from 'zod';
import { KEY_ROLES } from '../../domain/api-key.ts';
import type { ApiKeyRow } from '../../store/face/api-keys.ts';
import { readableText } from './fields.ts';
import { tenantId } from './tenant.ts';

const time = z.string().meta({ format: 'date-time' });
const roleIs = 'A reader changes nothing; it may ask, check access and exchange sign-in codes';
const tenantIs =
  'The one tenant that it is for: all others are answered for as if there were none. It makes no tenants and no keys, and vouches for no directory';

export const newApiKey = z
  .strictObject(
    {
      name: readableText(100).meta({ description: 'For people to know it by', example: 'nightly export' }),
      role: z.enum(KEY_ROLES, 'Either administrator or reader is expected.').meta({ description: roleIs }),
      tenant: tenantId.nullable().default(null).meta({ description: tenantIs }),
    },
    { error: (issue) => (issue.code === 'invalid_type' ? 'A JSON object is expected.' : undefined) },
  )
  .meta({ id: 'NewApiKey' });

const fields = {
  id: z.string().meta({ example: 'key_0123456789ab' }),
  name: z.string(),
  role: z.enum(KEY_ROLES).meta({ description: roleIs }),
  tenant: z.string().nullable().meta({ description: tenantIs }),
  createdAt: time,
  lastUsedAt: time.nullable().meta({ description: 'To the minute' }),
  revokedAt: time.nullable(),
};

export const apiKey = z.strictObject(fields).meta({ id: 'ApiKey' });
export const apiKeyWithSecret = z
  .strictObject({ ...fields, key: z.string().meta({ description: 'The key itself; it is never shown again' }) })
  .meta({ id: 'ApiKeyWithSecret' });

export const API_KEY_ID = /^key_[0-9a-hjkmnp-tv-z]{12}$/;
export const apiKeyPath = z.strictObject({
  keyId: z.string().max(64).meta({ description: 'Its `id`, not the key', example: 'key_0123456789ab' }),
});

export const toApiKey = ({ tenant, ...row }: ApiKeyRow): z.input<typeof apiKey> => ({
  ...row,
  tenant: tenant === null ? null : tenant.id,
});
