const started = performance.now();

/** A line for who waits; standard output is for the figures. */
export function progress(text: string): void {
  const seconds = ((performance.now() - started) / 1_000).toFixed(0);
  process.stderr.write(`${seconds.padStart(4)} s  ${text}\n`);
}
