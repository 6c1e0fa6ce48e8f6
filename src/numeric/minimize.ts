/** A function's value and its gradient at a point. */
export type Differentiable = (x: Float64Array) => { readonly value: number; readonly gradient: Float64Array };

/**
 * A local minimum near `start` by BFGS with backtracking (Nocedal & Wright 2006, algorithm 6.1): for a few dozen
 * variables. Values that are not finite are walls.
 *
 * @returns the best point that was visited
 */
export function minimize(
  f: Differentiable,
  start: Float64Array,
  { iterations = 50, tolerance = 1e-5 } = {},
): Float64Array {
  const n = start.length;
  const inverse = new Float64Array(n * n);
  const reset = () => {
    inverse.fill(0);
    for (let i = 0; i < n; i++) inverse[i * n + i] = 1;
  };
  reset();
  let x = start;
  let at = f(x);
  for (let k = 0; k < iterations && Math.max(...at.gradient.map(Math.abs)) > tolerance; k++) {
    let direction = times(inverse, at.gradient).map((d) => -d);
    let slope = dot(direction, at.gradient);
    if (!(slope < 0)) {
      reset();
      direction = at.gradient.map((g) => -g);
      slope = dot(direction, at.gradient);
    }
    // The first step has no curvature to go by.
    let step = k === 0 ? Math.min(1, 1 / Math.hypot(...at.gradient)) : 1;
    let next = moved(x, direction, step);
    let there = f(next);
    for (let tries = 0; !(there.value <= at.value + 1e-4 * step * slope) && tries < 25; tries++) {
      step /= 2;
      next = moved(x, direction, step);
      there = f(next);
    }
    if (!(there.value < at.value)) break;
    update(
      inverse,
      direction.map((d) => step * d),
      there.gradient.map((g, i) => g - at.gradient[i]!),
    );
    [x, at] = [next, there];
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

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function moved(x: Float64Array, direction: Float64Array, step: number): Float64Array {
  return x.map((value, i) => value + step * direction[i]!);
}
