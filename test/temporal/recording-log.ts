import type { Log } from '../../src/temporal/log.ts';

/** A log whose lines a test can read. */
export function recordingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const write = (...words: unknown[]) => void lines.push(words.map(String).join(' '));
  return { lines, info: write, warn: write, error: write };
}
