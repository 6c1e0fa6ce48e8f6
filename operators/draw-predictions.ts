import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  concat,
  concatAll,
  defer,
  lastValueFrom,
  type MonoTypeOperatorFunction,
  type Observable,
  tap,
} from 'rxjs';
import { UserError } from '../src/base/errors.js';
import type { Tensors } from '../src/data/batch.js';
import type { EpochEvent, Event, PictureEvent, WarningEvent } from '../src/events/event.js';
import type { Scores } from '../src/events/scores.js';
import { warningEvent } from '../src/events/warning-event.js';
import { removeUnfinished } from '../src/files/atomic.js';
import type { Model } from '../src/model/model.js';
import type { Run } from '../src/train/run.js';

/** The most pictures of a run. */
const MOST = 100;

/** The folder of the pictures, in a run's folder of logs. */
const FOLDER = 'pictures';

/** Runs whose pictures could not be drawn. */
const broken = new WeakSet<object>();

/** Options of `drawPredictions`. */
export interface DrawPredictionsOptions {
  /** The split of the samples, as the event's `name`. Default `validation`. */
  readonly split?: string;
}

/**
 * Passes events on, and draws predictions of the run's model when the work on the last batch of an epoch has completed, as
 * `pictures/epoch-<n>.jpg` in the run's folder of logs: a `PictureEvent` follows. Runs of more than 100 epochs draw every second one, or third, …, and
 * the last.
 *
 * Drawn are the averaged weights where the run keeps an average. Give `draw` the same samples at each call, so that the
 * pictures of a run can be compared. Stands inside the lease, between `validate` and `checkpoint`. A picture that cannot
 * be drawn or written does not stop the run: a `WarningEvent` of code `not-drawn` says so, once, and no more are drawn.
 *
 * @throws UserError where the run has no folder of logs.
 * @example
 * batch$.pipe(
 *   trainStep(run),
 *   drawPredictions(run, (model, path) => overlays(model, inOrder(test.slice(0, 4))(), path, ['pet', 'other'])),
 * );
 */
export function drawPredictions<
  In extends Tensors,
  Out extends Tensors,
  Target extends Tensors,
  S extends Scores,
>(
  run: Run<In, Out, Target, S>,
  draw: (model: Model<In, Out>, path: string) => Observable<unknown>,
  { split: name = 'validation' }: DrawPredictionsOptions = {},
): MonoTypeOperatorFunction<Event<S>> {
  const { logs } = run;
  if (logs === undefined)
    throw new UserError(`${run.name}: expected a run with a folder of logs, got one without; give { logs }`);
  const every = Math.ceil(run.epochs / MOST);
  const picture = async ({ epoch, step }: EpochEvent): Promise<PictureEvent | WarningEvent> => {
    const path = `${FOLDER}/epoch-${epoch}.jpg`;
    try {
      await prepare(join(logs, FOLDER), epoch === every);
      await lastValueFrom(draw(run.training.scored, join(logs, path)), { defaultValue: undefined });
      return { type: 'picture', time: Date.now(), name, path, step, epoch };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      broken.add(run);
      return warningEvent('not-drawn', `no pictures of predictions any more: ${error.message}`);
    }
  };
  return (events$) =>
    defer(() => {
      let due: EpochEvent | undefined;
      return concat(
        events$.pipe(
          tap((event) => {
            if (event.type !== 'epoch' || broken.has(run)) return;
            if (event.epoch % every === 0 || event.epoch === run.epochs) due = event;
          }),
        ),
        defer(async () => (due ? [await picture(due)] : [])).pipe(concatAll()),
      );
    });
}

/** Removes what killed writers left, and at a run's first picture those of an earlier run of that name. */
async function prepare(folder: string, first: boolean): Promise<void> {
  if (first) await rm(folder, { recursive: true, force: true });
  await removeUnfinished(folder);
}
