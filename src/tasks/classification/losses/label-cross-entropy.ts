import {
  add,
  cast,
  logSumExp,
  mean,
  mul,
  neg,
  oneHot,
  type Scalar,
  sub,
  sum,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { UserError } from '../../../base/errors.js';
import type { Loss } from '../../../model/loss.js';

/** Options of `labelCrossEntropy`. */
export interface LabelCrossEntropyOptions {
  /** Share of the target spread evenly over all classes, 0 to below 1. Default 0. */
  readonly smoothing?: number;
}

/**
 * Cross-entropy of logits [batch, classes] and labels [batch], averaged over the batch, with label smoothing (Szegedy et
 * al. 2016, arXiv:1512.00567, section 7): −(1 − ε)·log p_label − ε·mean over classes of log p, as torch's `cross_entropy`
 * with `label_smoothing`.
 *
 * @throws UserError for a label that the logits do not have.
 */
export function labelCrossEntropy({
  smoothing = 0,
}: LabelCrossEntropyOptions = {}): Loss<Tensor2D, Tensor1D> {
  if (!(smoothing >= 0 && smoothing < 1))
    throw new UserError(
      `smoothing: expected a share from 0 to below 1, got ${smoothing}; see --label-smoothing`,
      { smoothing },
    );
  return (logits, labels) => {
    const classes = logits.shape[1];
    checkLabels(labels, classes);
    const logP = sub(logits, logSumExp(logits, 1, true));
    const picked = sum(mul(cast(oneHot(labels, classes), 'float32'), logP), 1);
    const loss = smoothing === 0 ? picked : add(mul(1 - smoothing, picked), mul(smoothing, mean(logP, 1)));
    return neg(mean(loss)) as Scalar;
  };
}

function checkLabels(labels: Tensor1D, classes: number): void {
  const wrong = labels.dataSync().find((label) => !(label >= 0 && label < classes));
  if (wrong !== undefined)
    throw new UserError(`labels: expected the classes 0 to ${classes - 1} of the model, got ${wrong}`, {
      label: wrong,
      classes,
    });
}
