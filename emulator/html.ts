/** Markup that is already safe to send. */
export class SafeHtml {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | SafeHtml | readonly SafeHtml[];

/** Builds markup; whatever is put in is escaped, unless it was built by this function itself. */
export function html(parts: TemplateStringsArray, ...values: readonly Part[]): SafeHtml {
  const text = parts.map((part, i) => part + (i < values.length ? textOf(values[i] ?? '') : '')).join('');
  return new SafeHtml(text);
}

function textOf(value: Part): string {
  if (value instanceof SafeHtml) return value.text;
  if (typeof value === 'object') return value.map((item) => item.text).join('');
  return escapeHtml(String(value));
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

const STYLE = `
  :root { font-family: 'Segoe UI', system-ui, sans-serif; color: #1b1b1b; background: #eef1f6; }
  main { max-width: 28rem; margin: 2rem auto; padding: 2rem; background: #fff; box-shadow: 0 2px 6px #0003; }
  h1 { font-size: 1.4rem; font-weight: 600; } fieldset { border: 0; padding: 0; margin: 1rem 0; }
  label { display: block; padding: 0.4rem 0; } input[type='text'] { width: 100%; box-sizing: border-box; padding: 0.4rem; }
  button { padding: 0.5rem 1.5rem; margin-right: 0.5rem; border: 1px solid #6b6b6b; background: #f2f2f2; font: inherit; }
  button.primary { background: #0b5cab; border-color: #0b5cab; color: #fff; } small, code { color: #555; overflow-wrap: anywhere; }
`;

/** A whole page. It says on every page that it is no Microsoft, so that nobody types a password into it. */
export function page(title: string, body: SafeHtml): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${new SafeHtml(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <p><small>Emulator of Microsoft Entra. Not Microsoft; no password is asked for.</small></p>
          ${body}
        </main>
      </body>
    </html>`.text;
}
