/** Counts the stops of a study, so that each loop over its trials knows of those since it began. */
export class Loops {
  #stops = 0;
  #stopsBefore = 0;

  /** Whether `stop` was called since the last loop began. */
  get stopped(): boolean {
    return this.#stops > this.#stopsBefore;
  }

  stop(): void {
    this.#stops++;
  }

  /** Begins a loop: the result tells whether the study was stopped since. */
  begin(): { readonly stopped: boolean } {
    const before = this.#stops;
    this.#stopsBefore = before;
    const stops = () => this.#stops;
    return {
      get stopped() {
        return stops() > before;
      },
    };
  }
}
