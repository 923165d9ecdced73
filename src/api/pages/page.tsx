import type { ComponentChildren, VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import type { TenantRow } from '../../store/face/tenants.ts';
import { text, type Reply } from '../reply.ts';
import { Footer, Header, nameOf } from './whom-it-serves.tsx';

interface Page {
  readonly status: number;
  readonly title: string;
  /** The path of the public URL, before every link. */
  readonly base: string;
  /** Whose page it is, where that may be said. */
  readonly tenant?: TenantRow | undefined;
  /** How far the reader has come, where it is a step of the way. */
  readonly step?: Step;
  readonly content: VNode;
  readonly headers?: Readonly<Record<string, string>>;
}

const STEPS = ['Start', 'Microsoft', 'Is this right?', 'What happens now'] as const;
type Step = (typeof STEPS)[number];

/** A whole page. Nothing of it needs script, and all that is put into it is escaped by the renderer. */
export function page(told: Page): Reply<never> {
  const html = renderToString(<Document {...told}>{told.content}</Document>);
  const headers = { ...told.headers, 'X-Robots-Tag': 'noindex' };
  const logo = told.tenant?.presentation.logoUrl;
  const imagesFrom = logo === undefined ? undefined : new URL(logo).origin;
  return text(told.status, 'text/html; charset=utf-8', `<!doctype html>${html}`, headers, imagesFrom);
}

function Document({ title, base, tenant, step, children }: Page & { readonly children: ComponentChildren }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{tenant === undefined ? title : `${title} · ${nameOf(tenant)}`}</title>
        <link rel="stylesheet" href={`${base}/assets/pico.min.css`} />
        <link rel="stylesheet" href={`${base}/assets/site.css`} />
      </head>
      <body>
        {tenant === undefined ? null : <Header tenant={tenant} />}
        <main class="container">
          {step === undefined ? null : <Steps current={step} />}
          <h1>{title}</h1>
          {children}
        </main>
        {tenant === undefined ? null : <Footer tenant={tenant} />}
      </body>
    </html>
  );
}

function Steps({ current }: { readonly current: Step }) {
  const reached = STEPS.indexOf(current);
  return (
    <ol class="steps" aria-label="Steps">
      {STEPS.map((step, index) => (
        <li {...(step === current ? { 'aria-current': 'step' } : {})} class={index < reached ? 'done' : undefined}>
          {step}
        </li>
      ))}
    </ol>
  );
}
