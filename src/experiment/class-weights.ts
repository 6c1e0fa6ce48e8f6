import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { say } from '../base/say.js';
import { nameOf } from '../data/source.js';
import { IGNORE_INDEX, type Pair, type Splits } from '../data/types.js';
import type { LabelledImage } from '../tasks/classification/labelled-image.js';
import { readMaskIds } from '../tasks/segmentation/mask-format.js';
import { toClasses } from '../tasks/segmentation/mask-ids.js';
import { classNamesOf, type MaskSettings } from './data-flags.js';
import { maskFormatOf } from './mask-format-of.js';

/** The weights of the classes in a loss: given, or by a rule. */
export type ClassWeights = 'inverse' | 'effective' | readonly number[];

/** β of Cui et al. 2019, which calls a class of 1,000 pictures two thirds known. */
const BETA = 0.999;

/** The weights of the classes in the loss. */
export const classWeightsFlag = z
  .union([z.enum(['inverse', 'effective']), z.array(z.number().min(0)).min(2)])
  .optional()
  .meta({
    single: true,
    expects: 'inverse, effective, or a number for each class',
    description:
      'weights of the classes in a loss that takes them: a number for each; inverse = by frequency in the training split; effective = by the effective number of its pictures; default: all alike',
  });

interface WeightSettings {
  readonly classWeights?: ClassWeights | undefined;
}

/** What a class has in the training split: its share of what counts, and the pictures in which it occurs. */
interface Frequency {
  readonly count: number;
  readonly pictures: number;
}

/**
 * The weights of a segmentation's classes, from the masks of the training split alone; a line on standard error says what
 * they are. Undefined where none are asked for.
 *
 * @throws UserError for another number of weights than classes.
 */
export async function segmentationWeights(
  settings: WeightSettings & MaskSettings,
  { train }: Splits<Pair>,
): Promise<readonly number[] | undefined> {
  const { classWeights } = settings;
  if (classWeights === undefined) return undefined;
  const names = classNamesOf(settings);
  if (typeof classWeights !== 'string') return checkedWeights(classWeights, names);
  const counts = names.map(() => ({ count: 0, pictures: 0 }));
  const { ids, palette } = maskFormatOf(settings);
  for (const { mask } of train) {
    const own = new Float64Array(IGNORE_INDEX + 1);
    const { data } = await readMaskIds(mask, palette);
    for (const k of toClasses(data, ids, nameOf(mask))) own[k]!++;
    counts.forEach((frequency, k) => {
      frequency.count += own[k]!;
      if (own[k]! > 0) frequency.pictures++;
    });
  }
  return ruled(classWeights, counts, names);
}

/** The weights of a classification's classes, from the training split alone; see `segmentationWeights`. */
export function classificationWeights(
  { classWeights }: WeightSettings,
  { train }: Splits<LabelledImage>,
  names: readonly string[],
): readonly number[] | undefined {
  if (classWeights === undefined) return undefined;
  if (typeof classWeights !== 'string') return checkedWeights(classWeights, names);
  const counts = names.map((_, k) => train.filter(({ label }) => label === k).length);
  return ruled(
    classWeights,
    counts.map((count) => ({ count, pictures: count })),
    names,
  );
}

/**
 * Weights by a rule, of mean 1 over the classes that occur: `inverse` is 1 / n of what is counted, and `effective`
 * (1 − β) / (1 − βⁿ) of the n pictures that hold the class, with β = 0.999 (Cui et al. 2019, arXiv:1901.05555, eq. 4):
 * neighbouring pixels repeat each other, pictures do not. A class that does not occur has the weight 0.
 *
 * @example
 * weightsByRule('inverse', [{ count: 30, pictures: 3 }, { count: 10, pictures: 1 }]); // => [0.5, 1.5]
 */
export function weightsByRule(rule: 'inverse' | 'effective', counts: readonly Frequency[]): number[] {
  const raw = counts.map(({ count, pictures }) => {
    if (count === 0) return 0;
    return rule === 'inverse' ? 1 / count : (1 - BETA) / (1 - BETA ** pictures);
  });
  const present = raw.filter((weight) => weight > 0);
  const mean = present.reduce((a, b) => a + b, 0) / present.length;
  return raw.map((weight) => weight / mean);
}

function ruled(rule: 'inverse' | 'effective', counts: readonly Frequency[], names: readonly string[]) {
  const weights = weightsByRule(rule, counts);
  const text = names.map((name, k) =>
    counts[k]!.count === 0
      ? `${name} 0 (not in the training split)`
      : `${name} ${Number(weights[k]!.toPrecision(3))}`,
  );
  say(`--class-weights ${rule}, from the training split: ${text.join(', ')}`);
  return weights;
}

function checkedWeights(weights: readonly number[], names: readonly string[]): readonly number[] {
  if (weights.length === names.length && weights.some((weight) => weight > 0)) return weights;
  throw new UserError(
    `--class-weights: expected a number for each of the classes ${names.join()}, one above 0, got ${weights.join()}`,
    { classWeights: weights },
  );
}

/** Options of losses: the flags that give them, and losses that read them. */
const OPTIONS = {
  weights: ['--class-weights', 'takes weights, such as cross-entropy, focal or dice-cross-entropy'],
  smoothing: ['--label-smoothing', 'smooths labels, such as cross-entropy or dice-cross-entropy'],
  hardest: ['--ohem', 'mines hard pixels, such as cross-entropy or dice-cross-entropy'],
} as const;

/** Values of the options that losses may read. */
interface LossValues {
  readonly weights?: readonly number[] | undefined;
  readonly smoothing?: number | undefined;
  readonly hardest?: number | undefined;
}

/**
 * The loss of a name with the options that are given.
 *
 * @throws UserError where one is given and the loss does not read it.
 */
export function givenLoss<L>(make: (options: LossValues) => L, name: string, values: LossValues): L {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  const read = new Set<string>();
  const options = {};
  for (const [key, value] of given)
    Object.defineProperty(options, key, {
      enumerable: true,
      get: () => {
        read.add(key);
        return value as unknown;
      },
    });
  const loss = make(options);
  const unread = given.find(([key]) => !read.has(key))?.[0] as keyof LossValues | undefined;
  if (unread === undefined) return loss;
  const [flag, what] = OPTIONS[unread];
  throw new UserError(`${flag}: expected a loss that ${what}, got ${name}; choose one with --loss`, {
    loss: name,
  });
}

/** The loss of a name, given the weights of the classes. @throws UserError where it does not read them. */
export function weightedLoss<L>(
  make: (options: LossValues) => L,
  name: string,
  weights: readonly number[] | undefined,
): L {
  return givenLoss(make, name, { weights });
}
