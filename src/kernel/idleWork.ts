/** Work in small steps for the time in which nobody waits for the kernel. */

/** The kernel's own timers; the global ones are replaced. */
const later = setTimeout;
const PAUSE_MS = 20;
const QUIET_MS = 500;

export class IdleWork {
  readonly #step: () => boolean;
  readonly #busy: () => boolean;
  #last = 0;
  #planned = false;

  /**
   * @param step does a little and says whether more is left
   * @param busy true while somebody waits
   */
  constructor(step: () => boolean, busy: () => boolean) {
    this.#step = step;
    this.#busy = busy;
  }

  /** Something was asked for: steps follow half a second after the last such call. */
  touch(): void {
    this.#last = performance.now();
    if (!this.#planned) this.#plan(QUIET_MS);
  }

  #plan(ms: number): void {
    this.#planned = true;
    later(() => {
      this.#planned = false;
      const waiting = this.#busy() || performance.now() - this.#last < QUIET_MS;
      if (waiting) this.#plan(QUIET_MS);
      else if (this.#step()) this.#plan(PAUSE_MS);
    }, ms).unref();
  }
}
