import { basePathOf } from '../base-path.ts';
import type { ApiDeps } from '../deps.ts';
import { outcomePage } from '../pages/outcome-page.tsx';
import type { Reply } from '../reply.ts';
import type { About, ConsentResult } from './result.ts';
import { setupUrlOf } from './setup-link.ts';

/** The reply that leads on, or the page of the outcome. */
export function replyTo(result: ConsentResult, deps: ApiDeps): Reply<never> {
  if (result.is === 'reply') return result.reply;
  const { outcome, about } = result;
  const startUrl = about && startUrlOf(about, deps);
  return outcomePage(outcome, { tenant: about?.tenant, startUrl }, basePathOf(deps.config.publicUrl));
}

/** Where the person began: whoever came by the environment's id alone is not handed a set-up link. */
function startUrlOf({ tenant, via }: About, deps: ApiDeps): string | undefined {
  if (via === 'link') return setupUrlOf(tenant, deps, new Date()) ?? undefined;
  return `${deps.config.publicUrl}/Account/AdminConsent?tenantid=${encodeURIComponent(tenant.id)}`;
}
