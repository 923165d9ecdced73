import { setTimeout as sleep } from 'node:timers/promises';

/** Says what happens, a line each, so that a person can follow and a machine can keep it. */
export const tell = (line = ''): void => console.log(line);
export const chapter = (title: string): void => tell(`\n\u001b[1m${title}\u001b[0m`);

/** Asks again until the answer will do. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>, timeoutMs: number): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`Waited ${timeoutMs / 1_000} s in vain: ${what}`);
    await sleep(200);
  }
}

/** The product's API, as the product's backend would call it. */
export function apiAt(base: string, key: string) {
  return async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  };
}
