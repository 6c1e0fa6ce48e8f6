import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../../base/errors.js';
import {
  add,
  cast,
  concat,
  div,
  logSoftmax,
  maximum,
  mul,
  neg,
  notEqual,
  oneHot,
  reshape,
  slice,
  softmax,
  sub,
  sum,
  tensor3d,
  unstack,
} from '../../../base/tfjs-core.js';
import { IGNORE_INDEX } from '../../../data/types.js';
import { regionSums } from '../../../engine/ops/region-sums.js';
import type { Queries } from '../../../model/heads/mask-head.js';
import type { Extras, Loss } from '../../../model/loss.js';
import { assignment } from '../../../numeric/assignment.js';
import { checkClasses } from './check-classes.js';

/** Mask2Former's weights of the class and of the mask, and of queries without a segment (Cheng et al. 2022, § 4.1). */
const [CLASS, MASK, NONE] = [2, 5, 0.1];

/**
 * The loss of Mask2Former (Cheng et al. 2022, arXiv:2112.01527) of a head that says masks and classes by queries, such as
 * `mask`: in each picture every class that occurs is a segment, each segment gets the query that costs least in all
 * (Hungarian matching, DETR, Carion et al. 2020, arXiv:2005.12872), and the other queries have the class "none".
 *
 * 2·class + 5·(bce + dice): the cross-entropy of the classes of all queries, in which "none" weighs 0.1; the binary
 * cross-entropy of a mask's pixels and 1 − (2I + 1)/(S + N + 1), averaged over the matched queries of the batch. The
 * cost of a pair is 5·(bce + dice) − 2·p(class); the matching is a constant of the gradient. Masks are compared at all
 * pixels that count instead of a sample of points. A picture without one says nothing, not even "none".
 *
 * The logits have no part in it. @throws UserError for a model that says no queries.
 *
 * @example
 * const model = await loadSegmenter(fixture('vit-creatures'), { classes: 3, name: 'mask', seed: 42 });
 * new Training({ model, loss: setPrediction(), optimizer: adamW(), learningRate: 1e-3, seed: 42 });
 */
export function setPrediction(): Loss {
  return (logits, masks, extras) => {
    checkClasses(logits, masks);
    const { masks: queried, kinds } = queriesIn(extras);
    const classes = logits.shape.at(-1)!;
    const regions = regionsOf(masks, classes);
    const sizes = sum(regions, 1, true);
    const cost = mul(MASK, maskCosts(queried, regions, sizes));
    const p = slice(softmax(kinds), [0, 0, 0], cost.shape as [number, number, number]);
    const { chosen, weights } = matching(sub(cost, mul(CLASS, p)), sizes);
    const ofMasks = div(sum(mul(chosen, cost)), maximum(sum(chosen), 1));
    const ofClasses = div(neg(sum(mul(weights, logSoftmax(kinds)))), maximum(sum(weights), NONE));
    return add(mul(CLASS, ofClasses), ofMasks);
  };
}

function queriesIn(extras: Partial<Queries> & Extras = {}): Queries {
  const { masks, kinds } = extras;
  if (masks && kinds) return { masks, kinds };
  throw new UserError(
    'loss set: expected a model that says queries, got one that says none; choose the head mask',
  );
}

/** The pixels that count and those of each class, 1 or 0: [batch, pixels, 1 + classes]. */
function regionsOf(masks: Tensor, classes: number): Tensor {
  const [batch, height, width] = masks.shape as [number, number, number];
  const flat = reshape(masks, [batch, height * width]);
  const counts = reshape(cast(notEqual(flat, IGNORE_INDEX), 'float32'), [batch, height * width, 1]);
  return concat([counts, cast(oneHot(flat as never, classes), 'float32')], 2);
}

/** Binary cross-entropy plus Dice loss of each query's mask with each class: [batch, queries, classes]. */
function maskCosts(queried: Tensor, regions: Tensor, sizes: Tensor): Tensor {
  const [batch, height, width, queries] = queried.shape as [number, number, number, number];
  const flat = reshape(queried, [batch, height * width, queries]);
  const [softplus, linear, inside] = unstack(regionSums(flat, regions)) as [Tensor, Tensor, Tensor];
  const all = (x: Tensor) => slice(x, [0, 0, 0], [-1, -1, 1]);
  const each = (x: Tensor) => slice(x, [0, 0, 1], [-1, -1, -1]);
  const bce = div(sub(all(softplus), each(linear)), maximum(all(sizes), 1));
  const overlap = add(mul(2, each(inside)), 1);
  return add(bce, sub(1, div(overlap, add(add(all(inside), each(sizes)), 1))));
}

/**
 * Which query has which class, 1 or 0, as the costs; and what the logarithm of each class of each query weighs, with
 * "none" behind the others. Found in JavaScript from a synchronous read.
 */
function matching(costs: Tensor, sizes: Tensor): { readonly chosen: Tensor; readonly weights: Tensor } {
  const [batch, queries, classes] = costs.shape as [number, number, number];
  const [cost, size] = [costs.dataSync(), sizes.dataSync()];
  const chosen = new Float32Array(cost.length);
  const weights = new Float32Array(batch * queries * (classes + 1));
  for (let picture = 0; picture < batch; picture++) {
    const present = Array.from({ length: classes }, (_, k) => k).filter(
      (k) => size[picture * (classes + 1) + 1 + k]! > 0,
    );
    if (present.length === 0) continue;
    const at = (query: number, k: number) => (picture * queries + query) * classes + k;
    const kinds = Array.from({ length: queries }, () => classes);
    const rows = present.map((k) => Array.from({ length: queries }, (_, query) => cost[at(query, k)]!));
    for (const [i, query] of assignment(rows).entries()) {
      if (query < 0) continue;
      kinds[query] = present[i]!;
      chosen[at(query, present[i]!)] = 1;
    }
    kinds.forEach((k, query) => {
      weights[(picture * queries + query) * (classes + 1) + k] = k === classes ? NONE : 1;
    });
  }
  return {
    chosen: tensor3d(chosen, [batch, queries, classes]),
    weights: tensor3d(weights, [batch, queries, classes + 1]),
  };
}
