import { randomUUID } from 'node:crypto';
import type { ApiDeps } from '../../../src/api/deps.ts';
import type { Assignment } from '../../../src/graph/assignment.ts';
import type { ResolvedDirectory } from '../../../src/graph/admin-consent.ts';
import type { Organization } from '../../../src/graph/organization.ts';
import type { TokenOutcome } from '../../../src/graph/token-source.ts';
import type { ProofOutcome } from '../../../src/graph/sign-in.ts';

export const LOGIN = 'https://login.example';
export const GLOBAL_ADMINISTRATOR = '62e90394-69f5-4237-9190-012177145e10';
export const GUEST_INVITER = '95e79109-95c0-4d8e-aee3-d01accf2d47b';

type GraphFace = ApiDeps['graph'];
type Person = {
  readonly tid: string;
  readonly wids?: readonly string[];
  readonly account?: string;
  readonly oid?: string;
};

/** What Microsoft would say, without Microsoft: the consent flow's own decisions are under test, not the tokens. */
export class FakeGraph implements GraphFace {
  readonly #login: string;
  readonly directories = new Map<string, ResolvedDirectory>();
  readonly organizations = new Map<string, Organization>();
  readonly #begun = new Map<string, { verifier: string; nonce: string; entraTenant: string; code: string }>();
  readonly #answers = new Map<string, ProofOutcome>();

  constructor(login: string = LOGIN) {
    this.#login = login;
  }

  adminConsentUrl: GraphFace['adminConsentUrl'] = ({ entraTenant = 'organizations', redirectUri, state }) =>
    `${this.#login}/${entraTenant}/v2.0/adminconsent?${String(new URLSearchParams({ redirect_uri: redirectUri, state }))}`;

  resolveDirectory: GraphFace['resolveDirectory'] = async (domain) =>
    this.directories.get(domain) ?? { kind: 'unknown' };

  organization: GraphFace['organization'] = async (id) => this.organizations.get(id) ?? null;

  /** Undefined: the API asks for none. */
  token: TokenOutcome | undefined;
  tokenFor: GraphFace['tokenFor'] = async () => {
    if (!this.token) throw new Error('The API asks for no token');
    return this.token;
  };

  lookAtHosts: GraphFace['lookAtHosts'] = async () => [{ host: 'login.example', proxy: null, skewMs: 0 }];

  lookAtCredentials: GraphFace['lookAtCredentials'] = async () => [{ kind: 'secret', variable: 'ENTRA_CLIENT_SECRET' }];

  inspect: GraphFace['inspect'] = async () => ({ clientId: 'app', portal: 'https://entra.microsoft.com', probes: [] });

  endSessionUrl: GraphFace['endSessionUrl'] = ({ entraTenant, redirectUri }) =>
    `${this.#login}/${entraTenant}/oauth2/v2.0/logout?${String(new URLSearchParams({ post_logout_redirect_uri: redirectUri }))}`;

  /** Answers of "Users and groups", by user. */
  readonly assignments = new Map<string, Assignment>();
  assignment: GraphFace['assignment'] = async ({ userId }) => this.assignments.get(userId) ?? 'not_assigned';

  findGroups: GraphFace['findGroups'] = async () => ({ kind: 'unavailable' });
  assigned: GraphFace['assigned'] = async () => ({ kind: 'unavailable' });
  feedPage: GraphFace['feedPage'] = async () => ({ kind: 'unavailable' });

  beginProof: GraphFace['beginProof'] = async ({ entraTenant, redirectUri, state, prompt }) => {
    const verifier = randomUUID();
    const nonce = randomUUID();
    this.#begun.set(state, { verifier, nonce, entraTenant, code: '' });
    const query = new URLSearchParams({ redirect_uri: redirectUri, state, nonce, ...(prompt && { prompt }) });
    return { url: `${this.#login}/${entraTenant}/oauth2/v2.0/authorize?${String(query)}`, verifier, nonce };
  };

  /** The person signs in; the code is good for the one who holds the verifier of this state. */
  signIn({ tid, wids, account = 'someone@example.com', oid = randomUUID() }: Person): string {
    return this.answer({
      proven: true,
      tid,
      oid,
      account,
      name: null,
      ...(wids === undefined ? {} : { wids }),
    });
  }

  answer(outcome: ProofOutcome): string {
    const code = randomUUID();
    this.#answers.set(code, outcome);
    return code;
  }

  finishProof: GraphFace['finishProof'] = async ({ callbackUrl, state, verifier, nonce, entraTenant }) => {
    const begun = this.#begun.get(state);
    const code = new URL(callbackUrl, 'http://localhost').searchParams.get('code') ?? '';
    if (begun?.verifier !== verifier || begun.nonce !== nonce || begun.entraTenant !== entraTenant) {
      return { proven: false, reason: 'failed', code: 'invalid_grant' };
    }
    return this.#answers.get(code) ?? { proven: false, reason: 'failed', code: 'invalid_grant' };
  };
}
