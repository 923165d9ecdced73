import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { describe } from '@jest/globals';
import type { AxeResults } from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';

/** Found by `npm test`, or given; empty where browsers are to be left out. */
const executablePath = process.env['CHROMIUM_PATH'] || undefined;
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const PHONE = { width: 320, height: 640 };

/** Skips, and says so, where there is no Chromium. */
export function inBrowser(what: string): typeof describe.skip | typeof describe {
  if (executablePath !== undefined) return describe;
  process.stderr.write(`Left out: ${what} (no Chromium found; set CHROMIUM_PATH)\n`);
  return describe.skip;
}

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args: ARGS });

const axe = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What is wrong with the page as it stands: violations that axe finds, more than a phone's width, no style sheet. */
export async function faultsOf(page: Page, width = PHONE.width): Promise<readonly string[]> {
  // Through the debugger, so that the page's own policy may go on forbidding every script.
  await page.evaluate(await axe);
  const { violations } = await page.evaluate<AxeResults>('axe.run(document)');
  const faults = violations.map(({ id, nodes }) => `${id} at ${nodes.map(({ html }) => html).join(', ')}`);
  const wide = Number(await page.evaluate('document.documentElement.scrollWidth'));
  if (wide > width) faults.push(`${wide} px wide`);
  const styled = await page.evaluate('getComputedStyle(document.body).getPropertyValue("--pico-font-size")');
  return styled === '' ? [...faults, 'no style sheet'] : faults;
}
