import { NumpyRandom } from '../../../random/numpy-random.js';
import type { Params, Sampler } from '../../contracts/sampler.js';
import type { StudyView } from '../../contracts/study-view.js';
import {
  type Distribution,
  isSingle,
  type ParamValue,
  type SearchSpace,
  toExternal,
} from '../../trials/distribution.js';
import type { FrozenTrial, TrialState } from '../../trials/frozen-trial.js';
import { CommonSpace } from '../shared/common-space.js';
import { noteConstraints } from '../shared/note-constraints.js';
import { uniformValue } from '../shared/uniform-value.js';
import { BadColumns } from './bad-columns.js';
import { badEstimator, goodEstimator } from './estimators.js';
import { TpeHistory } from './history.js';
import { mostPromising } from './most-promising.js';
import type { Space } from './observations.js';
import { checkOptions, goodCount, settingsOf, type TpeOptions, type TpeSettings } from './options.js';
import { ParameterGroups } from './parameter-groups.js';
import type { ParzenEstimator } from './parzen-estimator.js';
import { noteRelativeParams } from './relative-params.js';

/** The sampler's memory of one study. */
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
  /** The source of the startup trials, which have a stream of their own in Optuna. */
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

  sampleRelative(study: StudyView, trial: FrozenTrial, space: SearchSpace): Params {
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
    const goodDensity = goodEstimator(study, below, space, settings);
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
