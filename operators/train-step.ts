import { concatAll, concatMap, type OperatorFunction, pipe } from 'rxjs';
import { type Batch, shapeOf, type Tensors } from '../src/data/batch.js';
import { memoryHint } from '../src/engine/out-of-memory.js';
import type { EpochEvent, StepEvent, WarningEvent } from '../src/events/event.js';
import type { Training } from '../src/train/training.js';

/**
 * Trains on each batch and says so: a `StepEvent`, and after the last batch of an epoch an `EpochEvent`. Where the
 * schedule follows scores (`plateau`) and has heard none in a whole epoch, a `WarningEvent` says so once.
 *
 * Strictly one step after another. Stands inside the lease, first: what follows it there (`validate`, `checkpoint`)
 * sees the model as this step left it. Unsubscribing lets a step under way finish unheard; it frees its tensors.
 *
 * @throws UserError that names `--batch-size` where memory is out.
 *
 * @example
 * prefetch(plans, load, { ahead: 2 }).pipe(concatLease((batch$) => batch$.pipe(trainStep(training))));
 */
export function trainStep<In extends Tensors, Out extends Tensors, Target extends Tensors>(
  training: Training<In, Out, Target>,
): OperatorFunction<Batch<In, Target>, StepEvent | EpochEvent | WarningEvent> {
  return pipe(
    concatMap((batch: Batch<In, Target>) => stepEvents(training, batch)),
    concatAll(),
  );
}

async function stepEvents<In extends Tensors, Out extends Tensors, Target extends Tensors>(
  training: Training<In, Out, Target>,
  batch: Batch<In, Target>,
): Promise<(StepEvent | EpochEvent | WarningEvent)[]> {
  const started = performance.now();
  const { epoch, batch: place, batches } = batch.plan;
  const shape = shapeOf(batch.inputs);
  const images = shape[0]!;
  const result = await training.step(batch).catch((error: unknown) => {
    throw memoryHint(error, shape);
  });
  const seconds = (performance.now() - started) / 1000;
  const { position: step, epoch: sums } = training;
  sums.loss += result.loss * images;
  sums.images += images;
  sums.seconds += seconds;

  const event: StepEvent = {
    type: 'step',
    time: Date.now(),
    step,
    epoch,
    batch: place,
    batches,
    ...result,
    images,
    seconds,
    imagesPerSecond: images / seconds,
  };
  if (place < batches - 1) return [...unheard(training, batches), event];
  const end: EpochEvent = {
    type: 'epoch',
    time: Date.now(),
    epoch,
    step,
    loss: sums.loss / sums.images,
    images: sums.images,
    seconds: sums.seconds,
    imagesPerSecond: sums.images / sums.seconds,
  };
  Object.assign(sums, { loss: 0, images: 0, seconds: 0 });
  return [...unheard(training, batches), event, end];
}

/** Said with the first step after a whole epoch: until then validation may still come. */
function unheard(training: Pick<Training, 'unheard'>, batches: number): WarningEvent[] {
  if (!training.unheard(batches + 1)) return [];
  const message =
    'the schedule follows a validation score and has heard of none in a whole epoch: the rate stays as it is; put validate(training, …) after trainStep';
  return [{ type: 'warning', time: Date.now(), code: 'schedule-unheard', message }];
}
