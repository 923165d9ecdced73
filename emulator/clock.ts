/**
 * The emulator's clock: real time plus an offset that the control API moves, so that a test sees a token of seven days
 * expire without waiting for it.
 */
export class Clock {
  #offsetMs = 0;

  now(): number {
    return Date.now() + this.#offsetMs;
  }

  advance(ms: number): void {
    this.#offsetMs += ms;
  }

  reset(): void {
    this.#offsetMs = 0;
  }
}
