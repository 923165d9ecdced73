/** What Pico leaves to us. Long words break: at 320 px an id is wider than the screen. */
export const SITE_CSS = `
main.container { max-width: 44rem; }
h1, h2, p, li, dd, dt, code, strong { overflow-wrap: anywhere; }
code { white-space: normal; }
dt { margin-top: 0.75rem; }
dd { margin-inline-start: 0; }
`;
