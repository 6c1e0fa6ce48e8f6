import { argMax, maxOf } from '../../../numeric/extremes.js';
import { NumpyRandom } from '../../../random/numpy-random.js';
import type { Sampler } from '../../contracts/sampler.js';
import type { StudyView } from '../../contracts/study-view.js';
import {
  type Distribution,
  isSingle,
  type ParamValue,
  type SearchSpace,
  toExternal,
  toInternal,
} from '../../trials/distribution.js';
import type { FrozenTrial, TrialState } from '../../trials/frozen-trial.js';
import { CommonSpace } from '../shared/common-space.js';
import { noteConstraints } from '../shared/note-constraints.js';
import { uniformValue } from '../shared/uniform-value.js';
import { BadColumns } from './bad-columns.js';
import { TpeHistory } from './history.js';
import {
  checkOptions,
  goodCount,
  settingsOf,
  type TpeOptions,
  type TpeSettings,
  weightsOf,
} from './options.js';
import { ParameterGroups } from './parameter-groups.js';
import { type Columns, ParzenEstimator } from './parzen-estimator.js';
import { noteRelativeParams, runningParams } from './relative-params.js';
import { hypervolumeWeights } from './select-trials.js';

/** What the sampler remembers of one study. */
interface Memory {
  readonly settings: TpeSettings;
  readonly history: TpeHistory;
  readonly groups: ParameterGroups;
  readonly columns: BadColumns;
}

/**
 * The tree-structured Parzen estimator (Bergstra et al. 2011), as Optuna has it: models the good and the bad trials
 * each by a density, and proposes, of several draws from the good one, that with the largest ratio of the two.
 *
 * With the same seed, options and history it proposes what Optuna 4.9 does (5.0 with `defaults: 'optuna5'`).
 *
 * @example
 * const study = await createStudy({ sampler: new TpeSampler({ seed: 0, multivariate: true }) });
 */
export class TpeSampler implements Sampler {
  readonly #random: NumpyRandom;
  /** Optuna draws startup trials from a stream of their own. */
  readonly #startup: NumpyRandom;
  readonly #memories = new WeakMap<StudyView, Memory>();
  readonly #common = new CommonSpace(['COMPLETE', 'PRUNED']);

  constructor(private readonly options: TpeOptions = {}) {
    checkOptions(options);
    this.#random = NumpyRandom.fromSeed(options.seed);
    this.#startup = NumpyRandom.fromSeed(options.seed);
  }

  inferRelativeSearchSpace(study: StudyView): SearchSpace {
    const { settings, groups } = this.#memory(study);
    if (!settings.multivariate) return new Map();
    return settings.group ? new Map(groups.current().flatMap((group) => [...group])) : this.#common.of(study);
  }

  sampleRelative(
    study: StudyView,
    trial: FrozenTrial,
    space: SearchSpace,
  ): Readonly<Record<string, ParamValue>> {
    const memory = this.#memory(study);
    if (memory.history.arrived.length < memory.settings.startupTrials) return {};
    const groups = memory.settings.group
      ? memory.groups.current().map((group) => new Map([...group].filter(([name]) => space.has(name))))
      : [new Map([...space].filter(([, distribution]) => !isSingle(distribution)))];
    const params = Object.fromEntries(
      groups.flatMap((group) =>
        group.size > 0 ? Object.entries(this.#propose(memory, study, trial, [...group])) : [],
      ),
    );
    if (memory.settings.constantLiar && Object.keys(params).length > 0)
      noteRelativeParams(study, trial, params);
    return params;
  }

  sampleIndependent(
    study: StudyView,
    trial: FrozenTrial,
    name: string,
    distribution: Distribution,
  ): ParamValue {
    const memory = this.#memory(study);
    if (memory.history.arrived.length < memory.settings.startupTrials)
      return uniformValue(this.#startup, distribution);
    return this.#propose(memory, study, trial, [[name, distribution]])[name]!;
  }

  afterTrial(
    study: StudyView,
    trial: FrozenTrial,
    state: TrialState,
    values: readonly number[] | null,
  ): void {
    noteConstraints(study, trial, state, values, this.options.constraints);
  }

  #memory(study: StudyView): Memory {
    let memory = this.#memories.get(study);
    if (!memory) {
      const settings = settingsOf(this.options, study.directions.length);
      memory = {
        settings,
        history: new TpeHistory(study, settings),
        groups: new ParameterGroups(study),
        columns: new BadColumns(settings),
      };
      this.#memories.set(study, memory);
    }
    memory.history.update();
    return memory;
  }

  #propose(
    { settings, history, columns }: Memory,
    study: StudyView,
    trial: FrozenTrial,
    space: Space,
  ): Record<string, ParamValue> {
    const below = history.below(goodCount(history.arrived.length, settings));
    const running = settings.constantLiar ? runningBeside(study, trial) : [];
    const good = observations(below, space, settings);
    const weights =
      study.directions.length > 1 && settings.hypervolumeWeights
        ? hypervolumeWeights(
            below,
            study.directions.map((direction) => (direction === 'maximize' ? -1 : 1)),
            (each) => settings.constraints?.(each).every((value) => value <= 0) ?? true,
          ).filter((_, i) => has(below[i]!, space, settings))
        : study.directions.length > 1
          ? new Float64Array(good[0]!.length).fill(1)
          : weightsOf(good[0]!.length, settings);
    const goodDensity = new ParzenEstimator(space, good, weights, settings);
    const candidates = goodDensity.sample(this.#random, settings.candidates);
    const [[name, distribution]] = space as [Space[number]];
    const column =
      space.length === 1 && columns.handles(name)
        ? columns.column(name, distribution, { arrived: history.arrived, below, running })
        : undefined;
    let bad: ParzenEstimator | undefined;
    const badDensity = () => (bad ??= badEstimator(history, below, running, space, settings));
    const quick = column?.logDensity(candidates[0]!);
    const badLogs = quick?.every(Number.isFinite) ? quick : badDensity().logDensity(candidates);
    const best = mostPromising(candidates, goodDensity, badLogs, badDensity);
    return Object.fromEntries(
      space.map(([name, distribution], d) => [name, toExternal(distribution, candidates[d]![best]!)]),
    );
  }
}

function runningBeside(study: StudyView, trial: FrozenTrial): FrozenTrial[] {
  return study.active.filter(({ state, number }) => state === 'RUNNING' && number !== trial.number);
}

/** The density of all that is not good, built from all of it. */
function badEstimator(
  history: TpeHistory,
  below: readonly FrozenTrial[],
  running: readonly FrozenTrial[],
  space: Space,
  settings: TpeSettings,
): ParzenEstimator {
  const isBelow = new Set(below);
  const above = [...history.arrived.filter((trial) => !isBelow.has(trial)), ...running];
  above.sort((a, b) => a.number - b.number);
  const observed = observations(above, space, settings);
  return new ParzenEstimator(space, observed, weightsOf(observed[0]!.length, settings), settings);
}

function paramsOf(trial: FrozenTrial, { multivariate }: TpeSettings) {
  return multivariate && trial.state === 'RUNNING' ? runningParams(trial) : trial.params;
}

type Space = readonly (readonly [string, Distribution])[];

function has(trial: FrozenTrial, space: Space, settings: TpeSettings): boolean {
  const params = paramsOf(trial, settings);
  return space.every(([name]) => Object.hasOwn(params, name));
}

/** The internal values of the trials that have all the parameters. */
function observations(trials: readonly FrozenTrial[], space: Space, settings: TpeSettings): Columns {
  const rows = trials.filter((trial) => has(trial, space, settings));
  return space.map(([name, distribution]) =>
    Float64Array.from(rows, (trial) => toInternal(distribution, paramsOf(trial, settings)[name]!)),
  );
}

/** Ratios that differ by less may be equal but for rounding. */
const TIE = 1e-9;

/**
 * The candidate with the largest ratio of the good to the bad density, the first of equals.
 *
 * Where several lie so close that rounding may decide, as far from all that was observed, Optuna's rounding does.
 */
function mostPromising(
  candidates: Columns,
  good: ParzenEstimator,
  badLogs: Float64Array,
  badEstimator: () => ParzenEstimator,
): number {
  const scores = good.logDensity(candidates).map((log, i) => log - badLogs[i]!);
  // A score that is not finite decides nothing before it is computed anew.
  const least = scores.every(Number.isFinite) ? maxOf(scores) - TIE : Number.NEGATIVE_INFINITY;
  const close: number[] = [];
  for (let i = 0; i < scores.length; i++) if (!(scores[i]! < least) && isFirst(candidates, i)) close.push(i);
  if (close.length === 1) return close[0]!;
  const bad = badEstimator();
  const exact = close.map(
    (i) => good.logDensityInOrder(candidates, i) - bad.logDensityInOrder(candidates, i),
  );
  return close[argMax(exact)]!;
}

/** Whether no earlier candidate is the same point. */
function isFirst(candidates: Columns, i: number): boolean {
  for (let j = 0; j < i; j++) if (candidates.every((column) => column[j] === column[i])) return false;
  return true;
}
