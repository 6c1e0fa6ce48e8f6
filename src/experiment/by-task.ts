import type { ImageItem, Pair } from '../data/types.js';
import { Classifier } from '../tasks/classification/classifier.js';
import type { LabelledImage } from '../tasks/classification/labelled-image.js';
import type { Segmenter } from '../tasks/segmentation/segmenter.js';
import type { ClassificationRun, SegmentationRun } from './run-settings.js';
import type { TrainedRun } from './trained-runs.js';

/** Work on a trained run's model and on items of its task. */
export interface TaskWork<R> {
  /** The work on masks. */
  segmentation(model: Segmenter, run: TrainedRun<SegmentationRun>, pairs: readonly Pair[]): R;
  /** The work on labels. */
  classification(model: Classifier, run: TrainedRun<ClassificationRun>, images: readonly LabelledImage[]): R;
}

/** Does the work that suits the task of a run. `model` is `loadTrained(run)`, and `items` are of `testDomains(run, …)`. */
export function byTask<R>(
  model: Segmenter | Classifier,
  run: TrainedRun,
  items: readonly ImageItem[],
  work: TaskWork<R>,
): R {
  return model instanceof Classifier
    ? work.classification(model, run as TrainedRun<ClassificationRun>, items as readonly LabelledImage[])
    : work.segmentation(model, run as TrainedRun<SegmentationRun>, items as readonly Pair[]);
}
