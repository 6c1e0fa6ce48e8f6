import type { Tensor } from '@tensorflow/tfjs-core';
import type { Fork } from '../../operators/fork.js';
import { versions } from '../base/package.js';
import type { Tensors } from '../data/batch.js';
import { stemsOf } from '../data/recorded-split.js';
import type { Scores } from '../events/scores.js';
import type { ForkPoints } from '../train/fork-points.js';
import type { Run } from '../train/run.js';

/** Settings that act on a step through nothing but its learning rates: runs that differ in them may begin alike. */
const THROUGH_RATES = [
  'epochs',
  'schedule',
  'lr',
  'separateLr',
  'lrVitBackbone',
  'lrSegHead',
  'freezeEpochs',
];

/** What a run of a recipe shares with others: all its settings but those that only the rates of later steps show. */
export function forkOf<
  In extends Tensors = Tensor,
  Out extends Tensors = Tensor,
  Target extends Tensors = Tensor,
  S extends Scores = Scores,
>({ config, splits, training }: Run<In, Out, Target, S>, points: ForkPoints): Fork {
  const later = training.schedule.observe ? [] : THROUGH_RATES;
  const settings = Object.entries(config).filter(([name]) => !later.includes(name));
  return { points, kind: [settings, splits && stemsOf(splits), versions()] };
}
