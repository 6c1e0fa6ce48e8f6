import type { Scalar, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { UserError } from '../../../base/errors.js';
import {
  add,
  cast,
  div,
  logSumExp,
  maximum,
  mean,
  mul,
  neg,
  oneHot,
  sub,
  sum,
  tensor1d,
} from '../../../base/tfjs-core.js';
import type { Loss } from '../../../model/loss.js';
import type { Labels } from '../label-tensor.js';

/** Options of `labelCrossEntropy`. */
export interface LabelCrossEntropyOptions {
  /** Share of the target spread evenly over all classes, 0 to below 1. Default 0. */
  readonly smoothing?: number;
  /** The weight of each class. Default: all 1. */
  readonly weights?: readonly number[] | undefined;
}

/**
 * Cross-entropy of logits [batch, classes] and labels [batch], averaged over the batch, with label smoothing (Szegedy et
 * al. 2016, arXiv:1512.00567, section 7): −(1 − ε)·log p_label − ε·mean over classes of log p, as torch's `cross_entropy`
 * with `label_smoothing`. In place of labels it takes each class's share [batch, classes], as of mixed pictures: log
 * p_label is then the mean of the classes' log p, weighted by the shares. `weights` of classes are torch's `weight`.
 *
 * @throws UserError for a label that the logits do not have.
 */
export function labelCrossEntropy({
  smoothing = 0,
  weights,
}: LabelCrossEntropyOptions = {}): Loss<Tensor2D, Labels> {
  if (!(smoothing >= 0 && smoothing < 1))
    throw new UserError(
      `smoothing: expected a share from 0 to below 1, got ${smoothing}; see --label-smoothing`,
      { smoothing },
    );
  return (logits, labels) => {
    const classes = logits.shape[1];
    const logP = sub(logits, logSumExp(logits, 1, true));
    const shares = sharesOf(labels, classes);
    if (weights) return weighted(logP as Tensor2D, shares, weights, smoothing);
    const picked = sum(mul(shares, logP), 1);
    const loss = smoothing === 0 ? picked : add(mul(1 - smoothing, picked), mul(smoothing, mean(logP, 1)));
    return neg(mean(loss)) as Scalar;
  };
}

/** The same with a weight a class, divided by the sum of the labels' weights: torch's `weight`. */
function weighted(logP: Tensor2D, shares: Tensor2D, weights: readonly number[], smoothing: number): Scalar {
  const classes = shares.shape[1];
  if (weights.length !== classes)
    throw new UserError(`weights: expected one for each of ${classes} classes, got ${weights.length}`, {
      weights,
    });
  const target = add(mul(1 - smoothing, shares), smoothing / classes);
  const byClass = tensor1d([...weights]);
  const total = sum(mul(shares, byClass));
  return div(neg(sum(mul(mul(target, byClass), logP))), maximum(total, 1e-12)) as Scalar;
}

/** Each class's share in each sample. */
function sharesOf(labels: Labels, classes: number): Tensor2D {
  if (labels.rank === 1) {
    checkLabels(labels as Tensor1D, classes);
    return cast(oneHot(labels as Tensor1D, classes), 'float32') as Tensor2D;
  }
  if (labels.shape[1] === classes) return labels as Tensor2D;
  throw new UserError(`labels: expected shares of ${classes} classes, got [${labels.shape}]`, { classes });
}

function checkLabels(labels: Tensor1D, classes: number): void {
  const wrong = labels.dataSync().find((label) => !(label >= 0 && label < classes));
  if (wrong !== undefined)
    throw new UserError(`labels: expected the classes 0 to ${classes - 1} of the model, got ${wrong}`, {
      label: wrong,
      classes,
    });
}
