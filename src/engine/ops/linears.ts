import type { Tensor } from '@tensorflow/tfjs-core';
import { add, concat, matMul, reshape, sum, transpose, zeros } from '../../base/tfjs-core.js';
import { defineOp } from '../op.js';
import { expectShape } from '../shapes.js';
import { expectMap, weightGradient } from './linear.js';
import {
  blocksOf,
  down,
  expectLowRank,
  type LowRank,
  lowRankGrad,
  lowRankGradA,
  lowRankGradB,
  swapped,
  up,
} from './low-rank.js';

/** A pending linear map: y = x·W + b, and the low-rank change of an adapter. */
export interface LinearMap {
  readonly x: Tensor;
  /** [in, out]. */
  readonly weight: Tensor;
  readonly bias?: Tensor;
  readonly lowRank?: LowRank;
  /** Default: false. */
  readonly frozen?: Frozen;
}

/**
 * Whether weight and bias have no gradient: x need not be kept for one, and an engine may multiply in integers. `int16`
 * are frozen ones for which int8 is too coarse: in int8 an engine multiplies them in int16.
 */
export type Frozen = boolean | 'int16';

/**
 * The contents of a list of tensors: x, the residual, then for each map weight, bias, A, B; absent ones are left out.
 */
interface Attrs {
  readonly residual: boolean;
  readonly maps: readonly { readonly bias: boolean; readonly frozen: Frozen; readonly scale?: number }[];
}

/** One map of such a list, with the places of its tensors in it. */
interface Listed {
  readonly weight: Tensor;
  readonly bias?: Tensor;
  readonly lowRank?: LowRank;
  readonly places: { readonly weight: number; readonly bias: number; readonly a: number; readonly b: number };
}

/** Reads a list of tensors as its attributes describe it. */
export function listed(tensors: readonly Tensor[], { residual, maps }: Attrs) {
  let at = residual ? 2 : 1;
  const read = maps.map(({ bias, scale }): Listed => {
    const places = { weight: at, bias: at + 1, a: at + (bias ? 2 : 1), b: at + (bias ? 3 : 2) };
    at += 1 + (bias ? 1 : 0) + (scale === undefined ? 0 : 2);
    return {
      weight: tensors[places.weight]!,
      ...(bias && { bias: tensors[places.bias]! }),
      ...(scale !== undefined && { lowRank: { a: tensors[places.a]!, b: tensors[places.b]!, scale } }),
      places,
    };
  });
  return { x: tensors[0]!, ...(residual && { residual: tensors[1]! }), maps: read };
}

/** Numbers in scale·x·A of one map. */
export function lowSize(rows: number, lowRank: LowRank | undefined): number {
  if (!lowRank) return 0;
  const { blocks, width } = blocksOf(lowRank);
  return rows * blocks * width;
}

/** All scale·x·A one after another, then the results. */
function compute(tensors: readonly Tensor[], attrs: Attrs): Tensor[] {
  const { x, residual, maps } = listed(tensors, attrs);
  const flat = rowsOf(x);
  const lows: Tensor[] = [];
  const results = maps.map(({ weight, bias, lowRank }) => {
    let y: Tensor = matMul(flat, weight as Tensor);
    if (bias) y = add(y, bias);
    if (lowRank) {
      const low = down(flat, lowRank);
      lows.push(reshape(low, [low.size]));
      y = add(y, up(low, lowRank.b));
    }
    const shaped = reshape(y, [...x.shape.slice(0, -1), weight.shape[1]!]);
    return residual ? add(residual, shaped) : shaped;
  });
  return [lows.length > 0 ? concat(lows) : zeros([0]), ...results];
}

const run = defineOp<readonly Tensor[], Attrs>({
  name: 'Linears',
  plain: compute,
  saves: { inputs: 'all', outputs: [true] },
  gradient: (_dy, saved, attrs, [, ...dys]) => {
    const { x, maps } = listed(saved, attrs);
    const low = saved.at(-1)!;
    const rows = x.size / x.shape.at(-1)!;
    const gradients: Record<number, () => Tensor> = {};
    let at = 0;
    const parts = maps.map(({ weight, bias, lowRank, places }, i) => {
      const dy = dys[i]!;
      gradients[places.weight] = () => weightGradient({ x, dy }, {})[0]!;
      if (bias) gradients[places.bias] = () => sum(rowsOf(dy), 0);
      if (!lowRank) return { dy, weight };
      const { a, b, scale } = lowRank;
      const dLow = lowRankGrad({ dy, b }, { scale })[0]!;
      const place = at;
      at += lowSize(rows, lowRank);
      gradients[places.a] = () => lowRankGradA({ x, dLow }, { shape: a.shape })[0]!;
      gradients[places.b] = () => lowRankGradB({ low, dy }, { shape: b.shape, at: place })[0]!;
      return { dy, weight, dLow, a };
    });
    gradients[0] = () => {
      const tensors = parts.flatMap(({ dy, weight, dLow, a }) => [dy, weight, ...(dLow ? [dLow, a] : [])]);
      const changed = parts.map(({ dLow }) => !!dLow);
      const frozen = attrs.maps.map((map) => map.frozen);
      return reshape(inputGradient(tensors, { changed, frozen })[0]!, x.shape);
    };
    if (attrs.residual) gradients[1] = () => dys[0]!.clone();
    return gradients as unknown as readonly (() => Tensor)[];
  },
});

/** The same for frozen maps without a change: only the weights are kept, which outlive the pass anyway. */
const runFrozen = defineOp<readonly Tensor[], Attrs & { readonly weights: readonly Tensor[] }>({
  name: 'FrozenLinears',
  plain: compute,
  gradient: (_dy, _saved, { residual, maps, weights }, [, ...dys]) => {
    const count = (residual ? 2 : 1) + maps.reduce((sum, { bias }) => sum + (bias ? 2 : 1), 0);
    const gradients = Array.from({ length: count }, () => (): Tensor => {
      throw new Error('a frozen weight has no gradient');
    });
    gradients[0] = () => {
      const pairs = weights.flatMap((weight, i) => [dys[i]!, weight]);
      const frozen = maps.map((map) => map.frozen);
      const dx = inputGradient(pairs, { changed: weights.map(() => false), frozen })[0]!;
      return reshape(dx, [...dys[0]!.shape.slice(0, -1), weights[0]!.shape[0]!]);
    };
    if (residual) gradients[1] = () => dys[0]!.clone();
    return gradients;
  },
});

/** What is known of each map whose input gradients are summed. */
interface InputGradientAttrs {
  readonly changed: readonly boolean[];
  readonly frozen: readonly Frozen[];
}

/** Σ dy·Wᵀ + dLow·Aᵀ [rows, in], from a list of dy, weight and, where the map is changed, dLow and A. */
const inputGradient = defineOp<readonly Tensor[], InputGradientAttrs>({
  name: 'LinearsGradInput',
  plain: (tensors, { changed }) => {
    let at = 0;
    const parts = changed.map((change) => {
      const [dy, weight, dLow, a] = tensors.slice(at, at + (change ? 4 : 2)) as [
        Tensor,
        Tensor,
        Tensor?,
        Tensor?,
      ];
      at += change ? 4 : 2;
      const dx = matMul(rowsOf(dy), weight as Tensor, false, true);
      if (!dLow || !a) return dx;
      const factors = a.rank === 2 ? reshape(a, [1, ...a.shape]) : a;
      return add(dx, up(swapped(dLow), transpose(factors, [0, 2, 1])));
    });
    return parts.reduce((total, part) => add(total, part));
  },
});

/**
 * Runs linear maps, those of the same input together: their input gradients are then summed as they are computed.
 *
 * What is a tensor already is passed through. `residual` is added to the result; it goes with a single map.
 *
 * @example
 * const [query, key] = linears([{ x: tokens, weight, bias }, { x: tokens, weight }]);
 */
export function linears(maps: readonly (LinearMap | Tensor)[], residual?: Tensor): Tensor[] {
  for (const map of maps) if (isMap(map)) expectLinear(map, residual);
  const results: Tensor[] = [];
  maps.forEach((map, i) => {
    if (results[i]) return;
    if (!isMap(map)) {
      results[i] = residual ? add(residual, map) : map;
      return;
    }
    const places = maps.flatMap((other, j) => (isMap(other) && other.x === map.x ? [j] : []));
    const group = places.map((j) => maps[j] as LinearMap);
    const tensors = group.flatMap(({ weight, bias, lowRank }) => [
      weight,
      ...(bias ? [bias] : []),
      ...(lowRank ? [lowRank.a, lowRank.b] : []),
    ]);
    const attrs: Attrs = {
      residual: residual !== undefined,
      maps: group.map(({ bias, frozen = false, lowRank }) => ({
        bias: bias !== undefined,
        frozen,
        ...(lowRank && { scale: lowRank.scale }),
      })),
    };
    const inputs = [map.x, ...(residual ? [residual] : []), ...tensors];
    const [, ...ys] = group.every(({ frozen, lowRank }) => frozen && !lowRank)
      ? runFrozen(inputs, { ...attrs, weights: group.map(({ weight }) => weight) })
      : run(inputs, attrs);
    places.forEach((j, k) => {
      results[j] = ys[k]!;
    });
  });
  return results;
}

function expectLinear(map: LinearMap, residual: Tensor | undefined): void {
  const { x, weight, lowRank } = map;
  expectMap('linears', map);
  const [inputs, outputs] = weight.shape as [number, number];
  if (residual) expectShape('linears', 'residual', residual, [...x.shape.slice(0, -1), outputs]);
  if (lowRank) expectLowRank('linears', lowRank, inputs, outputs);
}

function isMap(map: LinearMap | Tensor): map is LinearMap {
  return 'weight' in map;
}

function rowsOf(x: Tensor): Tensor {
  return reshape(x, [-1, x.shape.at(-1)!]);
}
