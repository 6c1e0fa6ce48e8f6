import { squareScale } from '../../numeric/extremes.js';
import { randomStream } from '../../random/random-stream.js';
import { unitCube } from '../samplers/shared/unit-cube.js';
import type { SearchSpace } from '../trials/distribution.js';
import type { FrozenTrial } from '../trials/frozen-trial.js';
import { type Axis, type Cell, type Extent, growTree, ordersOf, type Points } from './tree.js';

export interface FanovaOptions {
  /** Trees in the forest. Default 64. */
  readonly trees?: number;
  /** Seeds the sample of trials that each tree is grown from. Default 0. */
  readonly seed?: number;
}

/**
 * Importances by functional analysis of variance (Hutter, Hoos & Leyton-Brown 2014, "An efficient approach for
 * assessing hyperparameter importance"): a forest of regression trees learns the objective, and a parameter is as
 * important as the share of the forest's variance over the space that its marginal, the mean over all others, has.
 *
 * The space is uniform as its distributions say: in the logarithm of `log` parameters, over grid points and choices.
 * (Optuna takes the logarithmic ones as they are.) Shares sum to less than 1 where parameters act together.
 */
export function fanova(
  trials: readonly FrozenTrial[],
  losses: readonly number[],
  space: SearchSpace,
  { trees = 64, seed = 0 }: FanovaOptions = {},
): number[] {
  const points = pointsOf(trials, losses, space);
  const orders = ordersOf(points);
  const shares = points.axes.map(() => 0);
  let treeCount = 0;
  for (let tree = 0; tree < trees; tree++) {
    const random = randomStream(seed, 'fanova', tree);
    const draws = new Uint8Array(trials.length);
    for (let i = 0; i < trials.length; i++) draws[Math.floor(random() * trials.length)]!++;
    const cells = growTree(points, draws, orders);
    const total = varianceOf(cells);
    if (total <= 0) continue;
    treeCount++;
    points.axes.forEach((axis, a) => {
      shares[a]! += marginalVariance(cells, axis, a) / total;
    });
  }
  return shares.map((share) => (treeCount === 0 ? 0 : share / treeCount));
}

function pointsOf(trials: readonly FrozenTrial[], losses: readonly number[], space: SearchSpace): Points {
  const entries = [...space];
  const axes = entries.map(
    ([, distribution]): Axis =>
      distribution.name === 'CategoricalDistribution' ? { choices: distribution.choices.length } : 'range',
  );
  const columns = entries.map(([name, distribution], a) => {
    if (axes[a] !== 'range') return Float64Array.from(trials, (trial) => trial.internalParams[name]!);
    const axis = unitCube(new Map([[name, distribution]]));
    return Float64Array.from(trials, (trial) => axis.toPoint(trial)[0]!);
  });
  // Shares of the variance do not change with the scale.
  const scale = squareScale(losses);
  return { axes, columns, values: Float64Array.from(losses, (loss) => loss / scale) };
}

function varianceOf(cells: readonly Cell[]): number {
  const volumes = cells.map(({ extents }) => extents.reduce((volume, extent) => volume * share(extent), 1));
  const mean = cells.reduce((sum, { value }, i) => sum + volumes[i]! * value, 0);
  return cells.reduce((sum, { value }, i) => sum + volumes[i]! * (value - mean) ** 2, 0);
}

/** The variance, along one axis, of what the tree predicts on average over all others (Hutter et al., algorithm 2). */
function marginalVariance(cells: readonly Cell[], axis: Axis, a: number): number {
  const weighted = cells.map(({ extents, value }) => {
    const others = extents.reduce((volume, extent, i) => (i === a ? volume : volume * share(extent)), 1);
    return { extent: extents[a]!, mass: others * value };
  });
  const pieces = axis === 'range' ? intervals(weighted) : choices(weighted, axis.choices);
  const mean = pieces.reduce((sum, { width, level }) => sum + width * level, 0);
  return pieces.reduce((sum, { width, level }) => sum + width * (level - mean) ** 2, 0);
}

interface Piece {
  readonly width: number;
  readonly level: number;
}

/** The steps of a sum of intervals that each carry a mass. */
function intervals(weighted: readonly { extent: Extent; mass: number }[]): Piece[] {
  const changes = weighted.flatMap(({ extent, mass }) => {
    const [from, to] = extent as readonly [number, number];
    return [
      { at: from, mass },
      { at: to, mass: -mass },
    ];
  });
  changes.sort((x, y) => x.at - y.at);
  let level = 0;
  let at = 0;
  const pieces: Piece[] = [];
  for (const change of changes) {
    if (change.at > at) pieces.push({ width: change.at - at, level });
    at = change.at;
    level += change.mass;
  }
  return pieces;
}

function choices(weighted: readonly { extent: Extent; mass: number }[], count: number): Piece[] {
  return Array.from({ length: count }, (_, choice) => ({
    width: 1 / count,
    level: weighted.reduce((sum, { extent, mass }) => (extent[choice] === true ? sum + mass : sum), 0),
  }));
}

/** The part of its axis that an extent takes. */
function share(extent: Extent): number {
  if (typeof extent[0] === 'boolean') return extent.filter(Boolean).length / extent.length;
  return (extent[1] as number) - (extent[0] as number);
}
