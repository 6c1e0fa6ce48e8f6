import {
  type Distribution,
  type ParamValue,
  type SearchSpace,
  toExternal,
} from '../../trials/distribution.js';
import type { FrozenTrial } from '../../trials/frozen-trial.js';

/** The numeric parameters of a space as a cube: `log` ones by their logarithm, stepped ones with half a step around. */
export interface UnitCube {
  readonly names: readonly string[];
  /** A trial's parameters as a point, each coordinate in [0, 1]. */
  toPoint(trial: Pick<FrozenTrial, 'internalParams'>): number[];
  /** The parameters at a point; coordinates outside [0, 1] give the nearest bound. */
  toParams(point: readonly number[]): Record<string, ParamValue>;
}

/** @throws Error where the space has a categorical parameter. */
export function unitCube(space: SearchSpace): UnitCube {
  const axes = [...space].map(([name, distribution]) => ({ name, distribution, ...rangeOf(distribution) }));
  return {
    names: axes.map(({ name }) => name),
    toPoint: ({ internalParams }) =>
      axes.map(({ name, distribution, from, to }) => {
        const x = internalParams[name]!;
        return ((isLog(distribution) ? Math.log(x) : x) - from) / (to - from);
      }),
    toParams: (point) =>
      Object.fromEntries(
        axes.map(({ name, distribution, from, to }, i) => {
          const x = from + point[i]! * (to - from);
          return [
            name,
            toExternal(distribution, onGrid(distribution, isLog(distribution) ? Math.exp(x) : x)),
          ];
        }),
      ),
  };
}

function rangeOf(distribution: Distribution): { from: number; to: number } {
  if (distribution.name === 'CategoricalDistribution') throw new Error('a choice has no place on an axis');
  const { low, high, step, log } = distribution;
  const half = (step ?? 0) / 2;
  return log
    ? { from: Math.log(low - half), to: Math.log(high + half) }
    : { from: low - half, to: high + half };
}

function isLog(distribution: Distribution): boolean {
  return distribution.name !== 'CategoricalDistribution' && distribution.log;
}

function onGrid(distribution: Distribution, x: number): number {
  if (distribution.name === 'CategoricalDistribution') return x;
  const { low, high, step } = distribution;
  const nearest = step === null ? x : low + Math.round((x - low) / step) * step;
  return Math.min(high, Math.max(low, nearest));
}
