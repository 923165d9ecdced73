/** Who can remove what stands in the way. */
export const OWNERS = ['customer administrator', 'user', 'product operator', 'Microsoft', 'nobody: wait'] as const;
export type Owner = (typeof OWNERS)[number];

/**
 * What to do, in steps, with the portal's own names (Entra admin center). Each remedy is for one owner: steps for an
 * administrator of the customer's help nobody who runs the product. `unknown…` stand where Microsoft documents no step.
 */
export const REMEDIES = {
  consentAgain: [
    'Open the set-up link again and accept as a Global Administrator or Privileged Role Administrator.',
    'If the application was deleted under Enterprise applications, consenting again brings it back.',
  ],
  acceptConsent: ['Open the set-up link again and choose Accept; without it nothing can be read from the directory.'],
  consentForAll: [
    'Ask a Global Administrator or Privileged Role Administrator to open the set-up link and accept for the whole organization.',
    'A service account is a user like any other here: it cannot grant this for itself.',
  ],
  reviewRequest: [
    'Entra admin center > Enterprise applications > Admin consent requests: review the request, or open the set-up link and accept.',
  ],
  grantPermissions: [
    'Open the set-up link again and accept, or: Enterprise applications > (this application) > Permissions > Grant admin consent.',
  ],
  switchOn: ['Enterprise applications > (this application) > Properties: set "Enabled for users to sign-in?" to Yes.'],
  switchServiceOn: [
    'Enterprise applications > (the service named above) > Properties: set "Enabled for users to sign-in?" to Yes, or renew its subscription.',
  ],
  enableService: ['Enable the service that is asked for in the organization, or subscribe to it, then accept again.'],
  assignPerson: [
    'Enterprise applications > (this application) > Users and groups: assign the person, or a group that they are a direct member of; nested groups do not count.',
    'Or let everyone in: Properties > "Assignment required?" = No.',
  ],
  assignApplication: [
    'Enterprise applications > (the service named above) > Users and groups: assign an application role to this application.',
  ],
  inviteGuest: ['Entra admin center > Users > Invite external user, or sign in with an account of the organization.'],
  enableAccount: ['Entra admin center > Users > (the person) > Properties: switch the account on.'],
  changePolicy: [
    'Entra admin center > Protection > Conditional Access: find the policy in the sign-in log by the request id, and allow this application.',
  ],
  allowAcrossTenants: [
    'Entra admin center > External Identities > Cross-tenant access settings: allow the access for this organization.',
  ],
  allowNetwork: ["The network's tenant restrictions must list this organization: ask whoever runs the proxy."],
  giveMailbox: [
    'Give the person a licence with an Exchange Online mailbox if it is to be read. A mailbox on premises cannot be read.',
  ],
  rightAccount: ['Sign out at Microsoft, or use a private window, and sign in with an account of the organization.'],
  signInAgain: ['Go back and sign in again.'],
  proveMore: ['Sign in again and complete what Microsoft asks for, such as the second factor.'],
  startAgain: ["Go back to where you started and begin again: each answer of Microsoft's counts once."],
  fixPassword: ["Sign in with the right password, or change it on Microsoft's page."],
  fixSecret: [
    'App registrations > (this application) > Certificates & secrets: put the Value of a secret, not its Secret ID, into ENTRA_CLIENT_SECRET, and restart.',
    'Every tenant is affected at once; the mirrors stay as they are and go on when the credential works.',
  ],
  renewSecret: [
    'App registrations > (this application) > Certificates & secrets > New client secret: put its Value into ENTRA_CLIENT_SECRET, and restart.',
    'Every tenant is affected at once; the mirrors stay as they are and go on when the credential works.',
  ],
  sendCredential: [
    'Set one of ENTRA_CLIENT_SECRET, ENTRA_CLIENT_CERTIFICATE_FILE, ENTRA_FEDERATED_TOKEN_FILE, and restart.',
  ],
  fixCertificate: [
    'App registrations > (this application) > Certificates & secrets > Certificates: upload the certificate of ENTRA_CLIENT_CERTIFICATE_FILE.',
    'Check the clock of this machine: an assertion is good for minutes.',
  ],
  fixAssertion: [
    'Check the clock of this machine, and that ENTRA_AUTHORITY_HOST and ENTRA_CLOUD are those of the app registration.',
  ],
  fixFederation: [
    'App registrations > (this application) > Certificates & secrets > Federated credentials: issuer, subject and audience must be those of the token in ENTRA_FEDERATED_TOKEN_FILE.',
  ],
  fixPlatform: [
    'App registrations > (this application) > Authentication: it must be a Web application, not a public client.',
  ],
  fixPermissions: [
    'App registrations > (this application) > API permissions: list exactly the permissions of the README, then have the customer accept again.',
  ],
  fixRedirect: [
    'App registrations > (this application) > Authentication > Web > Redirect URIs: add PUBLIC_URL followed by /consent/callback, and by /signin/callback if people sign in, to the letter.',
  ],
  fixAudience: [
    'App registrations > (this application) > Authentication > Supported account types: accounts in any organizational directory.',
  ],
  checkDirectory: [
    'Check the directory id and ENTRA_CLOUD: it may be mistyped, live in another national cloud, or have been deleted.',
  ],
  otherCloud: [
    'The directory lives in another national cloud: it needs an installation with that ENTRA_CLOUD and an app registration there.',
  ],
  report: ['This is a mistake of the product: report it with the code and the request id.'],
  wait: ['It is tried again by itself.'],
  slower: ['The wait that Microsoft stated is kept; then it goes on by itself.'],
  readAgain: ['The feed is read again from its start, by itself.'],
  serviceHealth: ['It is tried again by itself. If it lasts: Microsoft 365 admin center > Health > Service health.'],
  unknownForCustomer: [
    'Microsoft documents no step. Send the code and the request id to the administrator who looks after the directory; Microsoft support asks for both.',
  ],
  unknown: [
    'No step is known. Send the code and the request id to the support of this product, or to Microsoft support, which asks for both.',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Remedy = keyof typeof REMEDIES;
