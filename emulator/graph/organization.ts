import type { DirectoryRecord } from '../directory/directory-record.ts';
import type { Tenant } from '../tenant.ts';
import { resourceNotFound } from './graph-error.ts';
import { contextUrl, demand, DIRECTORY_PERMISSIONS, type GraphAnswer, type GraphRequest } from './graph-request.ts';
import { renderFull } from './render.ts';
import { parseSelect } from './select.ts';

const PERMISSIONS = ['Organization.Read.All', 'Organization.ReadWrite.All', ...DIRECTORY_PERMISSIONS];

/** `/organization`: one entry, the tenant itself. */
export function organizations(request: GraphRequest): GraphAnswer {
  demandOrganization(request);
  const selection = parseSelect(request.options.get('$select'), ['organization']);
  const value = [renderFull('organization', recordOf(request.tenant), selection?.properties)];
  const context = contextUrl(request, 'organization', selection?.properties);
  return { body: JSON.stringify({ '@odata.context': context, value }) };
}

export function organizationById(request: GraphRequest, id: string): GraphAnswer {
  demandOrganization(request);
  if (id.toLowerCase() !== request.tenant.id) throw resourceNotFound(id);
  const selection = parseSelect(request.options.get('$select'), ['organization']);
  const context = `${contextUrl(request, 'organization', selection?.properties)}/$entity`;
  const record = renderFull('organization', recordOf(request.tenant), selection?.properties);
  return { body: JSON.stringify({ '@odata.context': context, ...record }) };
}

/** A signed-in user with User.Read may read it, an application only with a permission of its own (list organization). */
function demandOrganization(request: GraphRequest): void {
  if (!request.caller.scopes.has('User.Read')) demand(request.caller, PERMISSIONS);
}

function recordOf(tenant: Tenant): DirectoryRecord {
  return {
    id: tenant.id,
    displayName: tenant.displayName,
    createdDateTime: tenant.createdDateTime,
    countryLetterCode: 'US',
    preferredLanguage: 'en',
    tenantType: 'AAD',
    mobileDeviceManagementAuthority: 'unknown',
    verifiedDomains: [
      {
        capabilities: 'Email, OfficeCommunicationsOnline',
        isDefault: true,
        isInitial: false,
        name: tenant.domain,
        type: 'Managed',
      },
      {
        capabilities: 'Email, OfficeCommunicationsOnline',
        isDefault: false,
        isInitial: true,
        name: tenant.initialDomain,
        type: 'Managed',
      },
    ],
  };
}
