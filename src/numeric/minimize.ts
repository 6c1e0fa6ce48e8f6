import { dot } from './dot.js';

/** A function's value and its gradient at a point. */
export type Differentiable = (x: Float64Array) => { readonly value: number; readonly gradient: Float64Array };

/** The distance at which a value counts as lying on a bound. */
const EDGE = 1e-12;

export interface MinimizeOptions {
  readonly iterations?: number;
  /** The steepest slope at which it ends. */
  readonly tolerance?: number;
  readonly box?: { readonly low: ArrayLike<number>; readonly high: ArrayLike<number> };
}

/**
 * A local minimum near `start` by BFGS with backtracking (Nocedal & Wright 2006, algorithm 6.1): for a few dozen
 * variables. Values that are not finite are walls. In a box, a step ends at the first bound that it meets, and what
 * would leave the box rests.
 *
 * @returns the best point that was visited
 */
export function minimize(
  f: Differentiable,
  start: Float64Array,
  { iterations = 50, tolerance = 1e-5, box }: MinimizeOptions = {},
): Float64Array {
  const n = start.length;
  const inverse = new Float64Array(n * n);
  const reset = () => {
    inverse.fill(0);
    for (let i = 0; i < n; i++) inverse[i * n + i] = 1;
  };
  reset();
  const [low, high] = [box?.low, box?.high];
  const inBox = (y: Float64Array) =>
    y.map((v, i) =>
      v < (low?.[i] ?? -Infinity) + EDGE ? low![i]! : v > (high?.[i] ?? Infinity) - EDGE ? high![i]! : v,
    );
  let x = inBox(start);
  let at = f(x);
  let isReset = true;
  for (let k = 0; k < iterations; k++) {
    // Variables at a bound rest where the gradient, or the step, would leave the box.
    const project = (d: Float64Array) =>
      d.map((v, i) => ((v < 0 ? x[i] === low?.[i] : x[i] === high?.[i]) ? 0 : v));
    const descent = project(at.gradient.map((g) => -g));
    if (Math.max(...descent.map(Math.abs)) <= tolerance) break;
    let direction = project(times(inverse, descent)).map((d, i) => (descent[i] === 0 ? 0 : d));
    if (!(dot(direction, descent) > 0)) {
      reset();
      [direction, isReset] = [descent, true];
    }
    // The first step has no curvature to go by.
    let share = isReset ? Math.min(1, 1 / Math.hypot(...descent)) : 1;
    // A step ends at the first bound.
    direction.forEach((d, i) => {
      const bound = d < 0 ? low?.[i] : high?.[i];
      if (d !== 0 && bound !== undefined) share = Math.min(share, (bound - x[i]!) / d);
    });
    let next = inBox(moved(x, direction, share));
    let there = f(next);
    const enough = () => there.value <= at.value + 1e-4 * dot(at.gradient, difference(next, x));
    for (let tries = 0; !enough() && tries < 25; tries++) {
      share /= 2;
      next = inBox(moved(x, direction, share));
      there = f(next);
    }
    if (there.value < at.value) {
      const step = difference(next, x);
      // What rested says nothing about the curvature where the others move.
      const change = there.gradient.map((g, i) => (step[i] === 0 ? 0 : g - at.gradient[i]!));
      update(inverse, step, change);
      [x, at, isReset] = [next, there, false];
    } else if (isReset) break;
    else {
      reset();
      isReset = true;
    }
  }
  return x;
}

/** H ← (I − ρsyᵀ)H(I − ρysᵀ) + ρssᵀ, where the curvature is positive. */
function update(inverse: Float64Array, s: Float64Array, y: Float64Array): void {
  const n = s.length;
  const curvature = dot(s, y);
  if (!(curvature > 1e-12)) return;
  const hy = times(inverse, y);
  const factor = (1 + dot(y, hy) / curvature) / curvature;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      inverse[i * n + j]! += factor * s[i]! * s[j]! - (hy[i]! * s[j]! + s[i]! * hy[j]!) / curvature;
}

function times(matrix: Float64Array, x: Float64Array): Float64Array {
  const n = x.length;
  return x.map((_, i) => dot(matrix.subarray(i * n, (i + 1) * n), x));
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]!);
}

function moved(x: Float64Array, direction: Float64Array, step: number): Float64Array {
  return x.map((value, i) => value + step * direction[i]!);
}
