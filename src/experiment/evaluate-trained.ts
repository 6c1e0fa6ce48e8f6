import type { Observable } from 'rxjs';
import { type Evaluation, evaluate } from '../../operators/evaluate.js';
import type { SampleCache } from '../data/images/sample-cache.js';
import type { ImageItem } from '../data/types.js';
import type { Classifier } from '../tasks/classification/classifier.js';
import { labelCrossEntropy } from '../tasks/classification/losses/label-cross-entropy.js';
import { classificationMetrics } from '../tasks/classification/metrics/classification-metrics.js';
import { crossEntropy } from '../tasks/segmentation/losses/cross-entropy.js';
import { segmentationMetrics } from '../tasks/segmentation/metrics/segmentation-metrics.js';
import type { Segmenter } from '../tasks/segmentation/segmenter.js';
import { byTask } from './by-task.js';
import { batchesOf, labelledBatchesOf } from './planned-runs.js';
import { evaluateStitched } from './stitched-pictures.js';
import type { TrainedRun } from './trained-runs.js';

/**
 * The scores of a trained run's model on items of its task.
 *
 * Their loss is cross-entropy, whatever the run's was: no file of scores holds it, and a run with a loss of the user's own
 * can be scored without it.
 */
export function evaluateTrained(
  model: Segmenter | Classifier,
  run: TrainedRun,
  items: readonly ImageItem[],
  options: { readonly batchSize: number; readonly cache?: SampleCache },
): Observable<Evaluation> {
  return byTask<Observable<Evaluation>>(model, run, items, {
    segmentation: (segmenter, own, pairs) => {
      const { classes } = segmenter.head;
      const metrics = segmentationMetrics({ classes, loss: crossEntropy() });
      return own.settings.tiles === undefined
        ? evaluate(segmenter, batchesOf(pairs, segmenter, own, options), metrics)
        : evaluateStitched(pairs, segmenter, own, options, metrics);
    },
    classification: (classifier, own, images) => {
      const { classes } = classifier;
      const metrics = classificationMetrics({ classes, loss: labelCrossEntropy(), k: own.settings.topK });
      return evaluate(classifier, labelledBatchesOf(images, classifier, own, options), metrics);
    },
  });
}
