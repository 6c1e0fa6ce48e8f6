import fc from 'fast-check';
import { createStudy, type Distribution, type ParamValue, TpeSampler } from '../../../exports/study.js';
import type { TpeOptions } from '../../../src/study/samplers/tpe/options.js';
import { toExternal, toInternal } from '../../../src/study/trials/distribution.js';
import type { Direction, Json, TrialState } from '../../../src/study/trials/frozen-trial.js';
import {
  categoricalDistribution,
  floatDistribution,
  intDistribution,
} from '../../../src/study/trials/make-distribution.js';

export interface CaseTrial {
  readonly state: TrialState;
  readonly values: readonly (number | string)[] | null;
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly distributions: Readonly<Record<string, Distribution>>;
  readonly intermediate: readonly (readonly [number, number | string])[];
  readonly userAttrs: Readonly<Record<string, Json>>;
  readonly systemAttrs: Readonly<Record<string, Json>>;
}

/** A history, and what to ask after it; numbers that JSON lacks are strings. */
export interface TpeCase {
  readonly name: string;
  /** In Optuna's names; `constraints` lists the user attributes that hold them. */
  readonly options: Readonly<Record<string, boolean | number | readonly string[]>>;
  readonly directions: readonly Direction[];
  readonly trials: readonly CaseTrial[];
  readonly space: Readonly<Record<string, Distribution>>;
  /** For each trial that is asked for: what it is told (null: it is left running), and its user attributes. */
  readonly asks: readonly (readonly [readonly number[] | null, Readonly<Record<string, Json>>])[];
}

/** What our sampler proposes in the case. */
export async function proposals(
  { options, directions, trials, space, asks }: TpeCase,
  defaults: TpeOptions['defaults'] = 'optuna4',
): Promise<Record<string, ParamValue>[]> {
  const study = await createStudy({
    directions,
    sampler: new TpeSampler({ defaults, ...ourOptions(options) }),
  });
  for (const { params, values, intermediate, ...trial } of trials) {
    const internal = Object.entries(trial.distributions).map(([name, d]) => [
      name,
      toInternal(d, params[name]!),
    ]);
    await study.addTrial({
      ...trial,
      params,
      internalParams: Object.fromEntries(internal),
      values: values && values.map(Number),
      intermediateValues: new Map(intermediate.map(([step, value]) => [step, Number(value)])),
    });
  }
  const asked: Record<string, ParamValue>[] = [];
  for (const [values, attrs] of asks) {
    const trial = await study.ask();
    for (const [name, distribution] of Object.entries(space)) trial.suggest(name, distribution);
    asked.push({ ...trial.params });
    for (const [name, value] of Object.entries(attrs)) trial.setUserAttr(name, value);
    if (values) await study.tell(trial, values);
  }
  return asked;
}

function ourOptions(options: TpeCase['options']): TpeOptions {
  const names: Record<string, keyof TpeOptions> = {
    seed: 'seed',
    multivariate: 'multivariate',
    group: 'group',
    constant_liar: 'constantLiar',
    n_startup_trials: 'startupTrials',
    n_ei_candidates: 'candidates',
    prior_weight: 'priorWeight',
    consider_magic_clip: 'magicClip',
    consider_endpoints: 'endpoints',
  };
  const ours = Object.entries(options).map(([name, value]) =>
    name === 'constraints'
      ? [
          name,
          (trial: { userAttrs: Record<string, number> }) =>
            (value as string[]).map((key) => trial.userAttrs[key]),
        ]
      : [names[name], value],
  );
  return Object.fromEntries(ours) as TpeOptions;
}

const distribution: fc.Arbitrary<Distribution> = fc.oneof(
  fc.constantFrom(
    floatDistribution(-5, 3),
    floatDistribution(0, 1),
    floatDistribution(1e-5, 1e-1, { log: true }),
    floatDistribution(0, 2, { step: 0.25 }),
    intDistribution(-100, 100),
    intDistribution(1, 6),
    intDistribution(1, 1000, { log: true }),
    intDistribution(0, 30, { step: 3 }),
    categoricalDistribution(['a', 'b', 'c']),
    categoricalDistribution([true, false]),
    categoricalDistribution([1, 2, 4, 8, 16, 32, 64, 128, 256, null]),
  ),
);

/** A value of the distribution, at t between 0 and 1. */
function valueAt(d: Distribution, t: number): ParamValue {
  if (d.name === 'CategoricalDistribution') return d.choices[Math.floor(t * d.choices.length)]!;
  const { low, high, step, log } = d;
  const x = log ? low * (high / low) ** t : low + t * (high - low);
  const placed = step === null ? x : low + Math.round((x - low) / step) * step;
  return toExternal(d, Math.min(Math.max(placed, low), high));
}

/** As much of a numeric distribution's range as `share` says, `place` of the way up; choices stay. */
function partOf(d: Distribution, place: number, share: number): Distribution {
  if (d.name === 'CategoricalDistribution') return d;
  const from = valueAt(d, place * (1 - share)) as number;
  const to = valueAt(d, place * (1 - share) + share) as number;
  const { log, step } = d;
  return d.name === 'IntDistribution'
    ? intDistribution(from, to, { log, step })
    : floatDistribution(from, to, { log, step });
}

/** How much of its range a parameter has, where ranges move. */
const SHARES = [1, 0.3, 0.03, 0.001];

export interface CaseKind {
  readonly name: string;
  readonly options?: TpeCase['options'];
  readonly objectives?: number;
  /** Whether parameters may be missing from trials. */
  readonly conditional?: boolean;
  readonly constrained?: boolean;
  readonly running?: boolean;
  /** Whether each trial has ranges of its own. */
  readonly moving?: boolean;
  readonly most?: number;
}

/** Random cases of one kind, the same for the same seed. */
export function randomCases(kind: CaseKind, count: number, seed: number): TpeCase[] {
  // Uniform, where fc.double would mostly draw numbers that are tiny.
  const unit = fc.nat(2 ** 30 - 1).map((x) => x / 2 ** 30);
  const between = (low: number, high: number) => unit.map((t) => low + t * (high - low));
  const { objectives = 1 } = kind;
  const trial = fc.record({
    fate: fc.nat(99),
    draws: fc.array(unit, { minLength: 6, maxLength: 6 }),
    present: fc.array(fc.nat(3), { minLength: 6, maxLength: 6 }),
    values: fc.array(
      fc.oneof(
        { weight: 8, arbitrary: between(-10, 10) },
        { weight: 2, arbitrary: fc.integer({ min: 0, max: 3 }).map(Number) },
      ),
      { minLength: objectives, maxLength: objectives },
    ),
    steps: fc.integer({ min: 0, max: 3 }),
    constraint: between(-2, 1),
  });
  const arbitrary = fc.record({
    distributions: fc.array(distribution, { minLength: 1, maxLength: 4 }),
    trials: fc.array(trial, { minLength: 5, maxLength: kind.most ?? 60, size: 'max' }),
    asks: fc.array(trial, { minLength: 3, maxLength: 3 }),
    seed: fc.nat(2 ** 31),
  });
  return fc.sample(arbitrary, { numRuns: count, seed }).map((drawn, index): TpeCase => {
    const spaceAt = ({ draws, present }: Pick<(typeof drawn.trials)[number], 'draws' | 'present'>) =>
      Object.fromEntries(
        drawn.distributions.map((d, i) => [
          `p${i}`,
          kind.moving ? partOf(d, draws[(i + 3) % 6]!, SHARES[present[i]!]!) : d,
        ]),
      );
    const trials = drawn.trials.map(({ fate, draws, present, values, steps, constraint }): CaseTrial => {
      const state: TrialState =
        fate < 5
          ? 'FAIL'
          : fate < 25 && objectives === 1
            ? 'PRUNED'
            : fate < 32 && kind.running
              ? 'RUNNING'
              : 'COMPLETE';
      const space = spaceAt({ draws, present });
      const names = Object.keys(space).filter((_, i) => !kind.conditional || present[i]! > 0);
      return {
        state,
        values: state === 'COMPLETE' ? (fate === 99 ? values.map(() => 'Infinity') : values) : null,
        params: Object.fromEntries(names.map((name, i) => [name, valueAt(space[name]!, draws[i]!)])),
        distributions: Object.fromEntries(names.map((name) => [name, space[name]!])),
        intermediate:
          state === 'PRUNED'
            ? Array.from({ length: steps }, (_, step) => [step, fate === 24 ? 'NaN' : draws[step]!] as const)
            : [],
        userAttrs: kind.constrained ? { c: constraint } : {},
        systemAttrs:
          kind.constrained && state !== 'RUNNING' && fate % 10 !== 7 ? { constraints: [constraint, -1] } : {},
      };
    });
    return {
      name: `${kind.name} ${index}`,
      options: {
        ...kind.options,
        seed: drawn.seed,
        ...(kind.constrained ? { constraints: ['c', 'c'] } : {}),
      },
      directions: Array.from({ length: objectives }, (_, i) => ((index + i) % 2 ? 'maximize' : 'minimize')),
      trials,
      space: spaceAt(drawn.asks[0]!),
      asks: drawn.asks.map(({ fate, values, constraint }) => [
        kind.running && fate < 50 ? null : values,
        (kind.constrained ? { c: constraint } : {}) as Record<string, Json>,
      ]),
    };
  });
}

/** The kinds of histories that are compared with Optuna. */
export const kinds: readonly CaseKind[] = [
  { name: 'univariate' },
  { name: 'univariate, conditional', conditional: true },
  { name: 'univariate, long', most: 400 },
  {
    name: 'univariate, endpoints, no magic clip',
    options: { consider_endpoints: true, consider_magic_clip: false, prior_weight: 0.5 },
  },
  { name: 'univariate, constant liar', options: { constant_liar: true }, running: true },
  { name: 'constraints', constrained: true },
  { name: 'multivariate', options: { multivariate: true } },
  { name: 'multivariate, conditional', options: { multivariate: true }, conditional: true },
  { name: 'multivariate, long', options: { multivariate: true }, most: 300 },
  { name: 'group', options: { multivariate: true, group: true }, conditional: true },
  {
    name: 'multivariate, constant liar',
    options: { multivariate: true, constant_liar: true },
    running: true,
  },
  { name: 'ranges that move', moving: true, most: 150 },
  { name: 'ranges that move, multivariate', options: { multivariate: true }, moving: true, most: 150 },
  {
    name: 'ranges that move, no magic clip',
    options: { consider_endpoints: true, consider_magic_clip: false, prior_weight: 0.5 },
    moving: true,
  },
  { name: 'two objectives', objectives: 2 },
  { name: 'two objectives, constraints', objectives: 2, constrained: true },
  { name: 'three objectives', objectives: 3, options: { multivariate: true } },
  { name: 'four objectives', objectives: 4 },
];
