/**
 * What Pico leaves to us: one calm column, in both color schemes. Long words break: at 320 px an id is wider than the screen.
 * Signs that repeat what is written beside them are hidden from screen readers (`content: … / ''`).
 */
export const SITE_CSS = `
:root { --pico-font-size: 100%; --pico-typography-spacing-vertical: 0.75rem; --site-background: #f3f5f8; --site-good: #1f7a3f; --site-bad: #a8322a; }
@media (prefers-color-scheme: dark) { :root { --site-background: #0e1218; --site-good: #5fc987; --site-bad: #ff9d92; } }
body { background: var(--site-background); padding-block: 1rem 2rem; }
body > header, body > footer, main.container { max-width: 42rem; margin-inline: auto; }
body > header { display: flex; gap: 0.75rem; align-items: center; padding: 0.5rem 1.25rem 1rem; line-height: 1.35; }
body > header img { width: 3rem; height: 3rem; object-fit: contain; background: #fff; border-radius: 0.5rem; padding: 0.25rem; flex: none; }
body > header p, body > footer p { margin: 0; }
body > header small, body > footer, .quiet { color: var(--pico-muted-color); }
body > header small { display: block; }
body > footer { padding: 1.25rem 1.25rem 0; font-size: 0.875rem; }
body > footer code { padding: 0; background: none; color: inherit; }
main.container { background: var(--pico-card-background-color); border: 1px solid var(--pico-muted-border-color); border-radius: 0.75rem; padding: clamp(1.25rem, 5vw, 2.25rem); }
main h1 { font-size: 1.6rem; line-height: 1.25; margin-bottom: 0.75rem; }
main h2 { font-size: 1.1rem; margin-top: 1.75rem; margin-bottom: 0.5rem; }
main h3 { font-size: 1rem; margin-top: 1rem; margin-bottom: 0.35rem; }
main > :last-child { margin-bottom: 0; }
h1, h2, p, li, dd, dt, code, strong, small, label, td, th { overflow-wrap: anywhere; }
code { white-space: normal; font-size: 0.85em; padding: 0.15rem 0.35rem; }
form { margin-bottom: 0; }
main form + form { margin-top: 0.75rem; }
main form button { margin-bottom: 0; }
ol.steps { display: grid; grid-template-columns: repeat(4, 1fr); gap: 0.25rem; padding: 0; margin: 0 0 1.75rem; list-style: none; }
ol.steps li { list-style: none; margin: 0; padding-top: 0.5rem; border-top: 3px solid var(--pico-muted-border-color); font-size: 0.8rem; line-height: 1.25; color: var(--pico-muted-color); }
ol.steps li.done { border-color: var(--site-good); }
ol.steps li[aria-current] { border-color: var(--pico-primary); color: var(--pico-color); font-weight: 600; }
ul.plain, ul.checks { padding: 0; margin-bottom: 1rem; }
ul.plain li, ul.checks li { list-style: none; margin: 0; padding: 0.6rem 0; border-top: 1px solid var(--pico-muted-border-color); }
ul.plain li:first-child, ul.checks li:first-child { border-top: 0; }
ul.plain small { display: block; color: var(--pico-muted-color); }
ul.checks li { display: grid; grid-template-columns: 1.75rem 1fr auto; gap: 0 0.5rem; align-items: baseline; }
ul.checks li::before { content: '\\25CB' / ''; color: var(--pico-muted-color); text-align: center; }
ul.checks li.done::before { content: '\\2713' / ''; color: var(--site-good); font-weight: 700; }
ul.checks li.now::before { content: '\\25D4' / ''; color: var(--pico-primary); }
ul.checks li.failed::before { content: '!' / ''; color: var(--site-bad); font-weight: 700; }
ul.checks li.sub { border-top: 0; padding-block: 0 0.35rem; padding-inline-start: 2.25rem; font-size: 0.9rem; }
ul.checks .standing { font-size: 0.875rem; color: var(--pico-muted-color); }
ul.checks li.done .standing { color: var(--site-good); }
ul.checks li.failed .standing { color: var(--site-bad); }
ul.checks small { grid-column: 2 / -1; color: var(--pico-muted-color); }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 0.35rem 1rem; margin-bottom: 1rem; }
dl.facts dt { color: var(--pico-muted-color); }
dl.facts dd { margin: 0; }
.pair { display: grid; gap: 0.5rem; margin-block: 1rem 1.5rem; }
.pair section { border: 1px solid var(--pico-muted-border-color); border-radius: 0.5rem; padding: 1rem 1.25rem; }
.pair h2 { margin: 0 0 0.35rem; font-size: 0.9rem; font-weight: 600; color: var(--pico-muted-color); }
.pair p { margin-bottom: 0.35rem; }
.pair dl.facts { margin: 0.5rem 0 0; font-size: 0.9rem; }
.pair .big { font-size: 1.25rem; font-weight: 600; line-height: 1.3; }
.pair .arrow { text-align: center; color: var(--pico-muted-color); line-height: 1; }
.notice { border-inline-start: 4px solid var(--pico-primary); padding: 0.1rem 0 0.1rem 1rem; margin-block: 1rem; }
.notice.bad { border-color: var(--site-bad); }
.notice > :last-child { margin-bottom: 0; }
textarea[readonly] { font-size: 0.875rem; line-height: 1.45; }
@media (max-width: 26rem) { dl.facts { grid-template-columns: 1fr; gap: 0 } dl.facts dd { margin-bottom: 0.5rem } ul.checks li { grid-template-columns: 1.5rem 1fr } ul.checks .standing { grid-column: 2 } }
`;
