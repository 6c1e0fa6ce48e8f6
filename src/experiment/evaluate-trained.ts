import { map, type Observable } from 'rxjs';
import { type Evaluation, evaluate } from '../../operators/evaluate.js';
import type { ImageSize } from '../data/images/image-size.js';
import type { ImageItem } from '../data/types.js';
import { testScores } from '../loggers/summary.js';
import type { Classifier } from '../tasks/classification/classifier.js';
import { labelCrossEntropy } from '../tasks/classification/losses/label-cross-entropy.js';
import { classificationMetrics } from '../tasks/classification/metrics/classification-metrics.js';
import { crossEntropy } from '../tasks/segmentation/losses/cross-entropy.js';
import { segmentationMetrics } from '../tasks/segmentation/metrics/segmentation-metrics.js';
import type { Segmenter } from '../tasks/segmentation/segmenter.js';
import { byTask } from './by-task.js';
import { type BatchesOptions, batchesOf, labelledBatchesOf } from './planned-runs.js';
import { scorePictures, type TestEvaluation } from './score-pictures.js';
import { evaluateStitched } from './stitched-pictures.js';
import type { TrainedRun } from './trained-runs.js';
import type { WholePictureOptions } from './whole-pictures.js';

/** How a trained run is scored. */
export interface EvaluationOptions extends BatchesOptions, Omit<WholePictureOptions, 'size'> {
  /** At the model's own size (default), at that of each picture, or at one size for all pictures. */
  readonly resolution?: 'model' | 'own' | ImageSize;
  /** Pixels by which outlines may differ, unless at the model's size. Default 2. */
  readonly tolerance?: number;
}

/**
 * The scores of a trained run's model on items of its task.
 *
 * No loss is among them, so that a run with a loss of the user's own can be scored without it.
 */
export function evaluateTrained(
  model: Segmenter | Classifier,
  run: TrainedRun,
  items: readonly ImageItem[],
  options: EvaluationOptions,
): Observable<TestEvaluation> {
  return byTask<Observable<TestEvaluation>>(model, run, items, {
    segmentation: (segmenter, own, pairs) => {
      const { resolution = 'model' } = options;
      if (resolution === 'own') return scorePictures(pairs, segmenter, own, options);
      if (resolution !== 'model')
        return scorePictures(pairs, segmenter, own, { ...options, size: resolution });
      const { classes } = segmenter.head;
      const metrics = segmentationMetrics({ classes, loss: crossEntropy() });
      return own.settings.tiles === undefined
        ? evaluate(segmenter, batchesOf(pairs, segmenter, own, options), metrics).pipe(map(withoutLoss))
        : evaluateStitched(pairs, segmenter, own, options, metrics).pipe(map(withoutLoss));
    },
    classification: (classifier, own, images) => {
      const { classes } = classifier;
      const metrics = classificationMetrics({ classes, loss: labelCrossEntropy(), k: own.settings.topK });
      return evaluate(classifier, labelledBatchesOf(images, classifier, own, options), metrics).pipe(
        map(withoutLoss),
      );
    },
  });
}

function withoutLoss({ scores, images }: Evaluation): TestEvaluation {
  return { test: testScores(scores), images };
}
