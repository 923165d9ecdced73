/** Microsoft's national clouds: section 2.8. A token, an app registration and a directory belong to one of them. */
export const CLOUDS = ['global', 'usgov', 'usgovdod', 'china'] as const;
export type Cloud = (typeof CLOUDS)[number];

const HOSTS: Readonly<Record<Cloud, { readonly authority: string; readonly graph: string; readonly portal: string }>> =
  {
    global: {
      authority: 'https://login.microsoftonline.com',
      graph: 'https://graph.microsoft.com',
      portal: 'https://entra.microsoft.com',
    },
    usgov: {
      authority: 'https://login.microsoftonline.us',
      graph: 'https://graph.microsoft.us',
      portal: 'https://portal.azure.us',
    },
    usgovdod: {
      authority: 'https://login.microsoftonline.us',
      graph: 'https://dod-graph.microsoft.us',
      portal: 'https://portal.azure.us',
    },
    china: {
      authority: 'https://login.partner.microsoftonline.cn',
      graph: 'https://microsoftgraph.chinacloudapi.cn',
      portal: 'https://portal.azure.cn',
    },
  };

/** Not one that stands in for Microsoft: its certificates are then anybody's. */
export function isMicrosoftOwn(origin: string): boolean {
  return Object.values(HOSTS).some(({ authority, graph }) => origin === authority || origin === graph);
}

export interface Endpoints {
  /** Origin of the login host, without a slash at its end. */
  readonly authorityHost: string;
  /** Origin of Graph; every link that is followed must have it. */
  readonly graphOrigin: string;
  /** The cloud's Graph with `/.default`: the one scope of application tokens (2.3), whatever host answers for it. */
  readonly scope: string;
  /** Origin of the portal in which the customer's administrator acts. */
  readonly portal: string;
}

export function endpointsOf(config: {
  readonly cloud: Cloud;
  readonly authorityHost?: string;
  readonly graphBaseUrl?: string;
}): Endpoints {
  const hosts = HOSTS[config.cloud];
  return {
    authorityHost: httpsOrigin('The authority host', config.authorityHost ?? hosts.authority),
    graphOrigin: httpsOrigin('The Graph base URL', config.graphBaseUrl ?? hosts.graph),
    scope: `${hosts.graph}/.default`,
    portal: hosts.portal,
  };
}

// Plain http would send credentials in clear, and the SDKs refuse or mangle it (10.1, 10.2).
function httpsOrigin(what: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' || url.pathname !== '/' || url.search || url.hash || url.username || url.password) {
    throw new Error(`${what} must be an https origin such as https://localhost:9443, without a path.`);
  }
  return url.origin;
}
