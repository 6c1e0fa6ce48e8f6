import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../../base/errors.js';
import { IGNORE_INDEX } from '../../../data/types.js';

/** The classes that masks were found to fit, by what holds their numbers: reading these can wait for the engine. */
const fitting = new WeakMap<object, number>();

/**
 * Refuses masks with a class that the logits lack: its one-hot row would be zero, and train silently.
 *
 * @throws UserError as PyTorch does ("Target 5 is out of bounds")
 */
export function checkClasses(logits: Tensor, masks: Tensor): void {
  const classes = logits.shape.at(-1)!;
  if (fitting.get(masks.dataId) === classes) return;
  const wrong = masks.dataSync().find((k) => !(k >= 0 && k < classes) && k !== IGNORE_INDEX);
  if (wrong === undefined) {
    fitting.set(masks.dataId, classes);
    return;
  }
  throw new UserError(
    `masks: expected the classes 0 to ${classes - 1} of the model, or ${IGNORE_INDEX} for ignored, got ${wrong}; see the ids that decode is given`,
    { class: wrong, classes },
  );
}
