import type { StudyView } from '../../contracts/study-view.js';
import type { SearchSpace } from '../../trials/distribution.js';
import type { FrozenTrial, TrialState } from '../../trials/frozen-trial.js';
import { type UnitCube, unitCube } from '../shared/unit-cube.js';
import { count, type Drawn, type Note, noteOf, START } from './note.js';
import { type CmaState, type CmaStrategy, cmaStrategy, cmaUpdate } from './update.js';

/**
 * The search in one space of one study, reconstructed from its trials: their notes, and the distributions that they
 * describe.
 */
export class CmaRun {
  readonly cube: UnitCube;
  readonly strategy: CmaStrategy;
  /** The finished trials of the search. */
  readonly drawn: Drawn = { early: 0, late: 0 };
  #latest: Note;
  #seen = 0;
  /** Distributions by the number of the trial that made them; states of earlier generations are dropped. */
  readonly #states: Map<number, CmaState>;
  readonly #notes = new Map<number, Note>();
  /** Trials that count, by base, in the order in which they ended. */
  readonly #trials = new Map<number, FrozenTrial[]>();

  constructor(
    /** The space's names. */
    private readonly key: string,
    space: SearchSpace,
    start: CmaState,
    populationSize: number | undefined,
    /** The states of trials that count. */
    private readonly counting: readonly TrialState[],
  ) {
    this.cube = unitCube(space);
    this.strategy = cmaStrategy(space.size, populationSize);
    this.#latest = { space: key, generation: 0, base: START };
    this.#states = new Map([[START, start]]);
  }

  /** The most advanced distribution; of two that were made at the same time, that of the earlier trial. */
  get latest(): Note {
    return this.#latest;
  }

  /** Adds the trials that ended since. */
  follow(study: StudyView): void {
    for (; this.#seen < study.finished.length; this.#seen++) {
      const trial = study.finished[this.#seen]!;
      const note = noteOf(trial, this.key);
      if (!note) continue;
      this.learn(note);
      count(this.drawn, note);
      if (this.#counts(trial)) this.#trials.set(note.base, [...this.trialsOf(note.base), trial]);
    }
  }

  /** Records the distribution that a trial made, if any. */
  learn(note: Note | undefined): void {
    if (!note?.told || this.#notes.has(note.base)) return;
    this.#notes.set(note.base, note);
    const { generation, base } = this.#latest;
    if (note.generation > generation || (note.generation === generation && note.base < base))
      this.#latest = note;
  }

  /** The trials that count and were drawn from a distribution. */
  trialsOf(base: number): readonly FrozenTrial[] {
    return this.#trials.get(base) ?? [];
  }

  /** The distribution of this base, by way of those before it. */
  state(study: StudyView, base: number): CmaState {
    const missing: Note[] = [];
    for (let at = base; !this.#states.has(at); at = missing.at(-1)!.parent!)
      missing.push(this.#notes.get(at)!);
    const sign = study.directions[0] === 'minimize' ? 1 : -1;
    const loss = ({ values }: FrozenTrial) => sign * values![0]!;
    for (const { base: next, parent, told: numbers } of missing.reverse()) {
      const parents = new Set(numbers);
      const points = this.trialsOf(parent!)
        .filter(({ number }) => parents.has(number))
        .sort((a, b) => loss(a) - loss(b) || a.number - b.number)
        .map((trial) => this.cube.toPoint(trial));
      this.#states.set(next, cmaUpdate(this.strategy, this.#states.get(parent!)!, points));
      if (parent !== START) this.#states.delete(parent!);
    }
    return this.#states.get(base)!;
  }

  #counts({ state, values, params }: FrozenTrial): boolean {
    return (
      this.counting.includes(state) &&
      values !== null &&
      this.cube.names.every((name) => Object.hasOwn(params, name))
    );
  }
}
