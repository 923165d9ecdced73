import type { ComponentChildren, VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { text, type Reply } from '../reply.ts';

interface Page {
  readonly status: number;
  readonly title: string;
  /** The path of the public URL, before every link. */
  readonly base: string;
  readonly content: VNode;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A whole page. Nothing of it needs script, and all that is put into it is escaped by the renderer. */
export function page({ status, title, base, content, headers = {} }: Page): Reply<never> {
  const html = renderToString(
    <Document title={title} base={base}>
      {content}
    </Document>,
  );
  return text(status, 'text/html; charset=utf-8', `<!doctype html>${html}`, { ...headers, 'X-Robots-Tag': 'noindex' });
}

function Document({ title, base, children }: { title: string; base: string; children: ComponentChildren }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="stylesheet" href={`${base}/assets/pico.min.css`} />
        <link rel="stylesheet" href={`${base}/assets/site.css`} />
      </head>
      <body>
        <main class="container">
          <h1>{title}</h1>
          {children}
        </main>
      </body>
    </html>
  );
}
