import { readEntraConfig } from './config.ts';
import { credentialFindings, egressFindings, inOrder, type Finding } from './domain/doctor.ts';
import { createGraph } from './graph/graph.ts';

/** What can be found out where the product runs, without a database and without a tenant. @throws {ConfigError} */
export async function diagnoseHere(env: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  const { authorityHost, graphBaseUrl, ...entra } = readEntraConfig(env);
  const graph = createGraph({
    ...entra,
    env,
    ...(authorityHost === undefined ? {} : { authorityHost }),
    ...(graphBaseUrl === undefined ? {} : { graphBaseUrl }),
  });
  const [hosts, credentials] = await Promise.all([graph.lookAtHosts(), graph.lookAtCredentials()]);
  return inOrder([...egressFindings(hosts), ...credentialFindings(credentials, Date.now())]);
}
