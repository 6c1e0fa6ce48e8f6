import assert from 'node:assert/strict';
import type { Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { type Observable, of } from 'rxjs';
import { augment } from '../operators/augment.js';
import { batch } from '../operators/batch.js';
import { decode } from '../operators/decode.js';
import { earlyStop } from '../operators/early-stop.js';
import type { Lease } from '../operators/lease.js';
import { IMAGENET, normalize } from '../operators/normalize.js';
import { report } from '../operators/report.js';
import { trainStep } from '../operators/train-step.js';
import { validate } from '../operators/validate.js';
import type { Batch } from '../src/data/batch.js';
import { horizontalFlip } from '../src/data/images/augmentations/geometric.js';
import type { BatchPlan, Pair, SamplePlan } from '../src/data/types.js';
import type { MetricName } from '../src/events/scores.js';
import type { Loss } from '../src/model/loss.js';
import type { Metrics } from '../src/model/metrics.js';
import type { Model } from '../src/model/model.js';
import type { Trial } from '../src/study/trial.js';
import type { SegmentationScores } from '../src/tasks/segmentation/metrics/segmentation-scores.js';
import type { Optimizer } from '../src/train/optimizers/transform.js';
import { Run } from '../src/train/run.js';

/** What the compiler must refuse; each line that it accepts is an error of `tsc -p test`. Nothing here runs. */
export function refusals(
  plans$: Observable<SamplePlan<Pair>>,
  plan: BatchPlan,
  masks$: Observable<Batch<Tensor4D, Tensor3D>>,
  labels$: Observable<Batch<Tensor4D, Tensor1D>>,
  classifier: Model<Tensor4D, Tensor2D>,
  crossEntropy: Loss<Tensor2D, Tensor1D>,
  optimizer: Optimizer,
  metrics: () => Metrics<Tensor2D, Tensor1D, { readonly loss: number; readonly top5: number }>,
  masked: () => Observable<Lease<Batch<Tensor4D, Tensor3D>>>,
  labelled: () => Observable<Lease<Batch<Tensor4D, Tensor1D>>>,
  trial: Trial,
) {
  plans$.pipe(decode(224), augment(horizontalFlip()), normalize(IMAGENET), batch(plan));
  // @ts-expect-error bytes are no input of a model: normalize comes first
  plans$.pipe(decode(224), batch(plan));
  // @ts-expect-error what is normalised has no bytes to change
  plans$.pipe(decode(224), normalize(IMAGENET), augment(horizontalFlip()));
  // @ts-expect-error normalised once
  plans$.pipe(decode(224), normalize(IMAGENET), normalize(IMAGENET), batch(plan));
  // @ts-expect-error an image without a mask is no sample of a segmentation
  of<SamplePlan<{ stem: string; image: string }>>().pipe(decode(224), normalize(IMAGENET), batch(plan));

  const about = { optimizer, learningRate: 1, seed: 1, epochs: 1, batchSize: 1, classes: ['a', 'b'] };
  const run = new Run({ model: classifier, loss: crossEntropy, metrics, metric: 'top5', ...about });
  labels$.pipe(trainStep(run));
  // @ts-expect-error a mask is no label
  masks$.pipe(trainStep(run));
  // @ts-expect-error a mask is no label
  void run.step({} as Batch<Tensor4D, Tensor3D>);
  const loss: Loss<Tensor4D, Tensor3D> = () => undefined as never;
  // @ts-expect-error a segmentation's loss is none of a classification
  new Run({ model: classifier, loss, ...about });
  // @ts-expect-error no such metric
  new Run({ model: classifier, loss: crossEntropy, metrics, metric: 'top4', ...about });

  const events$ = labels$.pipe(trainStep(run), validate(run, labelled));
  // @ts-expect-error masks are not what this run scores
  events$.pipe(validate(run, masked));
  events$.pipe(earlyStop(run, { metric: 'top5', patience: 1 }));
  // @ts-expect-error no such metric
  events$.pipe(earlyStop(run, { metric: 'top4', patience: 1 }));
  events$.pipe(report(trial, 'top5'));
  // @ts-expect-error no such metric
  events$.pipe(report(trial, 'softDice'));
  const metric: MetricName<SegmentationScores> = 'softDice';
  // @ts-expect-error a matrix is nothing to follow
  const matrix: MetricName<SegmentationScores> = 'confusion';
  return [metric, matrix];
}

describe('types', () => {
  it('refuse a pipeline out of order, targets of another task, and an unknown metric', () =>
    assert.equal(typeof refusals, 'function'));
});
