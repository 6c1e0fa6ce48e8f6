import type { StudyView } from '../contracts/study-view.js';
import type { FrozenTrial, Json, TrialState } from '../trials/frozen-trial.js';

/**
 * A view of a study that shows only some trials; it reads through to the whole, and keeps `finished` append-only too.
 */
export class FilteredView implements StudyView {
  readonly #finished: FrozenTrial[] = [];
  #seen = 0;

  constructor(
    readonly whole: StudyView,
    private readonly shows: (trial: FrozenTrial) => boolean,
  ) {}

  get studyName() {
    return this.whole.studyName;
  }

  get directions() {
    return this.whole.directions;
  }

  get finished(): readonly FrozenTrial[] {
    const { finished } = this.whole;
    for (; this.#seen < finished.length; this.#seen++) {
      const trial = finished[this.#seen]!;
      if (this.shows(trial)) this.#finished.push(trial);
    }
    return this.#finished;
  }

  get active(): readonly FrozenTrial[] {
    return this.whole.active.filter(this.shows);
  }

  get userAttrs() {
    return this.whole.userAttrs;
  }

  get systemAttrs() {
    return this.whole.systemAttrs;
  }

  trials(states?: readonly TrialState[]): readonly FrozenTrial[] {
    return this.whole.trials(states).filter(this.shows);
  }

  setSystemAttr(key: string, value: Json): void {
    this.whole.setSystemAttr(key, value);
  }

  setTrialSystemAttr(trial: FrozenTrial, key: string, value: Json): void {
    this.whole.setTrialSystemAttr(trial, key, value);
  }

  warn(code: string, message: string): void {
    this.whole.warn(code, message);
  }

  stop(): void {
    this.whole.stop();
  }
}
