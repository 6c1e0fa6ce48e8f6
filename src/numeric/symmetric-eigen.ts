import { dot } from './dot.js';

/** Eigenvalues, the smallest first, and the eigenvectors as columns of a row-major n × n matrix. */
export interface SymmetricEigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/**
 * Eigenvalues and eigenvectors of a symmetric row-major n × n matrix: A = V diag(values) Vᵀ, V orthogonal. O(n³).
 *
 * Householder reflections make it tridiagonal, implicit QL or QR steps diagonal (Golub & Van Loan, Matrix Computations,
 * 8.3). An eigenvector's sign is a matter of choice; here it is LAPACK's, thus that of numpy's `eigh`, in up to 25
 * dimensions: the reductions are those of its dsytd2 and dsteqr.
 *
 * @example
 * Array.from(symmetricEigen(Float64Array.of(2, 1, 1, 2), 2).values, Math.round); // => [1, 3]
 */
export function symmetricEigen(matrix: Float64Array, n: number): SymmetricEigen {
  const { diagonal, beside, reflections } = tridiagonal(matrix, n);
  const columns = Array.from({ length: n }, (_, i) => Float64Array.from({ length: n }, (_, j) => +(i === j)));
  diagonalize(diagonal, beside, columns);
  for (const { vector, tau } of reflections.reverse())
    for (const column of columns) addTo(column, -tau * dot(vector, column), vector);
  const order = Array.from(diagonal.keys()).sort((a, b) => diagonal[a]! - diagonal[b]!);
  return {
    values: Float64Array.from(order, (k) => diagonal[k]!),
    vectors: Float64Array.from({ length: n * n }, (_, at) => columns[order[at % n]!]![Math.floor(at / n)]!),
  };
}

/** I − τ v vᵀ */
interface Reflection {
  readonly vector: Float64Array;
  readonly tau: number;
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** The n − 1 numbers below the diagonal. */
  readonly beside: Float64Array;
  /** Their product Q: A = Q T Qᵀ. */
  readonly reflections: Reflection[];
}

function tridiagonal(matrix: Float64Array, n: number): Tridiagonal {
  const rows = Array.from({ length: n }, (_, i) => matrix.slice(i * n, (i + 1) * n));
  const beside = new Float64Array(Math.max(0, n - 1));
  const reflections: Reflection[] = [];
  for (let i = 0; i + 1 < n; i++) {
    // The reflection that leaves of column i, below the diagonal, its first number alone.
    const vector = Float64Array.from(rows, (row, k) => (k > i ? row[i]! : 0));
    const first = vector[i + 1]!;
    const rest = norm(vector.subarray(i + 2));
    beside[i] = first;
    if (rest === 0) continue;
    const pivot = -withSign(Math.hypot(first, rest), first);
    const tau = (pivot - first) / pivot;
    for (let k = i + 2; k < n; k++) vector[k]! /= first - pivot;
    vector[i + 1] = 1;
    beside[i] = pivot;
    // A ← A − v wᵀ − w vᵀ
    const w = Float64Array.from(rows, (row, k) => (k > i ? tau * dot(row, vector) : 0));
    addTo(w, -0.5 * tau * dot(w, vector), vector);
    for (let k = i + 1; k < n; k++) {
      addTo(rows[k]!, -vector[k]!, w);
      addTo(rows[k]!, -w[k]!, vector);
    }
    reflections.push({ vector, tau });
  }
  return { diagonal: Float64Array.from(rows, (row, i) => row[i]!), beside, reflections };
}

const EPSILON = 2 ** -53;
const SMALLEST = 2 ** -1022;

/** Makes a tridiagonal matrix diagonal, in place, and turns the columns as it goes. */
function diagonalize(d: Float64Array, e: Float64Array, columns: readonly Float64Array[]): void {
  for (let start = 0, end: number; start < d.length; start = end + 1) {
    end = start;
    while (
      end + 1 < d.length &&
      Math.abs(e[end]!) > Math.sqrt(Math.abs(d[end]!)) * Math.sqrt(Math.abs(d[end + 1]!)) * EPSILON
    )
      end++;
    diagonalizeBlock(d, e, columns, start, end);
  }
}

/** From the end where the smaller number stands: QL steps from the upper, QR steps, their mirror image, from the lower. */
function diagonalizeBlock(
  d: Float64Array,
  e: Float64Array,
  columns: readonly Float64Array[],
  start: number,
  end: number,
): void {
  const downward = Math.abs(d[end]!) >= Math.abs(d[start]!);
  const [from, last] = downward ? [start, end] : [end, start];
  const step = downward ? 1 : -1;
  /** The first row above i whose coupling to the next is zero. */
  const link = (i: number) => (downward ? i : i - 1);
  const isApart = (i: number) =>
    e[link(i)]! ** 2 <= EPSILON ** 2 * Math.abs(d[i]!) * Math.abs(d[i + step]!) + SMALLEST;
  let sweeps = 0;
  for (let at = from; (last - at) * step >= 0; ) {
    let until = at;
    while (until !== last && !isApart(until)) until += step;
    if (until !== last) e[link(until)] = 0;
    if (until === at) at += step;
    else if (until === at + step) {
      diagonalizePair(d, e, columns, Math.min(at, until));
      at += 2 * step;
    } else {
      if (++sweeps > 30 * d.length) throw new Error('the eigenvalues do not converge: is a number NaN?');
      sweep(at, until);
    }
  }

  /** One implicit step with Wilkinson's shift. */
  function sweep(at: number, until: number): void {
    const half = (d[at + step]! - d[at]!) / (2 * e[link(at)]!);
    let g = d[until]! - d[at]! + e[link(at)]! / (half + withSign(Math.hypot(half, 1), half));
    let [c, s, p] = [1, 1, 0];
    for (let near = until - step; ; near -= step) {
      const far = near + step;
      const b = c * e[link(near)]!;
      const turn = rotation(g, s * e[link(near)]!);
      ({ c, s } = turn);
      if (far !== until) e[link(far)] = turn.r;
      g = d[far]! - p;
      const r = (d[near]! - g) * s + 2 * c * b;
      p = s * r;
      d[far] = g + p;
      g = c * r - b;
      rotate(columns[far]!, columns[near]!, c, s);
      if (near === at) break;
    }
    d[at]! -= p;
    e[link(at)] = g;
  }
}

/** The block of i and i + 1: the eigenvalue of the larger absolute value comes first. */
function diagonalizePair(
  d: Float64Array,
  e: Float64Array,
  columns: readonly Float64Array[],
  i: number,
): void {
  const [a, b, c] = [d[i]!, e[i]!, d[i + 1]!];
  const [sum, difference] = [a + c, a - c];
  const root = Math.hypot(difference, 2 * b);
  const sign = sum < 0 ? -1 : 1;
  const [larger, smaller] = Math.abs(a) > Math.abs(c) ? [a, c] : [c, a];
  d[i] = 0.5 * (sum + sign * root);
  d[i + 1] = sum === 0 ? -0.5 * root : (larger / d[i]!) * smaller - (b / d[i]!) * b;
  e[i] = 0;
  const side = difference >= 0 ? 1 : -1;
  const cs = difference + side * root;
  let cos: number;
  let sin: number;
  if (Math.abs(cs) > Math.abs(2 * b)) {
    const t = (-2 * b) / cs;
    sin = 1 / Math.sqrt(1 + t * t);
    cos = t * sin;
  } else {
    const t = b === 0 ? 0 : -cs / (2 * b);
    cos = 1 / Math.sqrt(1 + t * t);
    sin = t * cos;
  }
  if (sign === side) [cos, sin] = [-sin, cos];
  rotate(columns[i]!, columns[i + 1]!, cos, sin);
}

/** The rotation that turns (f, g) into (r, 0). */
function rotation(f: number, g: number): { c: number; s: number; r: number } {
  if (g === 0) return { c: 1, s: 0, r: f };
  if (f === 0) return { c: 0, s: Math.sign(g), r: Math.abs(g) };
  const length = Math.hypot(f, g);
  const r = withSign(length, f);
  return { c: Math.abs(f) / length, s: g / r, r };
}

function rotate(x: Float64Array, y: Float64Array, c: number, s: number): void {
  for (let k = 0; k < x.length; k++) {
    const [xk, yk] = [x[k]!, y[k]!];
    x[k] = c * xk + s * yk;
    y[k] = c * yk - s * xk;
  }
}

function withSign(magnitude: number, sign: number): number {
  return sign >= 0 ? magnitude : -magnitude;
}

function norm(x: Float64Array): number {
  return Math.sqrt(dot(x, x));
}

function addTo(x: Float64Array, factor: number, y: Float64Array): void {
  for (let i = 0; i < x.length; i++) x[i]! += factor * y[i]!;
}
