import { memory } from '../base/tfjs-core.js';
import type { DataPace, EpochEvent, StepEvent } from '../events/event.js';
import type { EpochSums } from './run-state.js';
import type { StepResult } from './step-result.js';

/** The event of a step that ended now: `step` counts the batches consumed. */
export function stepEvent(
  { epoch, batch, batches }: Pick<StepEvent, 'epoch' | 'batch' | 'batches'>,
  step: number,
  result: StepResult,
  { images, seconds, data }: Pick<StepEvent, 'images' | 'seconds' | 'data'>,
): StepEvent {
  return {
    type: 'step',
    time: Date.now(),
    step,
    epoch,
    batch,
    batches,
    ...result,
    images,
    seconds,
    imagesPerSecond: images / seconds,
    ...(data && { data }),
    memory: { process: process.memoryUsage.rss(), tensors: memory().numBytes },
  };
}

/** The event of an epoch that ended now: the mean loss over its images, and where the loss is scaled the steps skipped. */
export function epochEvent(
  epoch: number,
  step: number,
  { loss, images, seconds, skipped }: EpochSums,
  data: DataPace | undefined,
  scaled: boolean,
): EpochEvent {
  return {
    type: 'epoch',
    time: Date.now(),
    epoch,
    step,
    loss: loss / images,
    images,
    seconds,
    imagesPerSecond: images / seconds,
    ...(scaled && { skipped }),
    ...(data && { data }),
  };
}
