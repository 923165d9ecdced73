import type { TenantRow } from '../../store/face/tenants.ts';
import type { Outcome } from '../consent/decide.ts';
import { nameOf } from './whom-it-serves.tsx';

/** Who can help: the customer's own administrator, or whoever runs the product. */
export type Recipient = 'administrator' | 'product';

/** A text with all that its reader needs, and nothing secret: the set-up link is for the administrator alone. */
export function messageFor(
  to: Recipient,
  title: string,
  outcome: Outcome,
  known: { readonly tenant: TenantRow | undefined; readonly startUrl: string | undefined },
  now: Date,
): { readonly subject: string; readonly body: string } {
  const { tenant, startUrl } = known;
  const name = tenant === undefined ? 'an application' : nameOf(tenant);
  const facts = [
    `What happened: ${title}`,
    ...('code' in outcome ? [`Microsoft's code: ${outcome.code}`] : []),
    ...('description' in outcome && outcome.description !== null
      ? [`In Microsoft's words: ${shortened(outcome.description)}`]
      : []),
    ...(tenant === undefined ? [] : [`Environment: ${name} (${tenant.id})`]),
    `Time: ${now.toISOString()}`,
  ];
  if (to === 'product') {
    const subject = `Connecting our Microsoft Entra ID directory to ${name}`;
    return { subject, body: ['Hello,', '', 'connecting our directory did not work.', '', ...facts].join('\n') };
  }
  const link = startUrl === undefined ? 'the set-up link that we got' : startUrl;
  return {
    subject: `Please connect our Microsoft Entra ID directory to ${name}`,
    body: [
      'Hello,',
      '',
      `${name} is to read the people and groups of our directory. That takes a Global Administrator or Privileged Role Administrator. Please open this link, and accept:`,
      '',
      link,
      '',
      ...facts,
    ].join('\n'),
  };
}

const shortened = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 1000);
