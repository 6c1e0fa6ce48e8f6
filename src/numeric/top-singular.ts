import { dot } from './dot.js';
import { symmetricEigen } from './symmetric-eigen.js';

/** The largest singular values of a matrix, the largest first, with their vectors; zeros beyond its rank. */
export interface TopSingular {
  readonly values: readonly number[];
  /** One of length `rows` for each value. */
  readonly left: readonly Float64Array[];
  /** One of length `columns` for each value. */
  readonly right: readonly Float64Array[];
}

/** How exact a value and its vectors are, relative to the largest value. */
const TOLERANCE = 1e-8;

/**
 * The `count` largest singular triples of a row-major matrix: M ≈ Σ σ·u·vᵀ, the best approximation of that rank.
 *
 * Golub–Kahan–Lanczos bidiagonalisation with full reorthogonalisation (Golub & Van Loan, Matrix Computations, 10.4): a few
 * products with the matrix for each triple, where a full decomposition takes O(n³). The result is the same for the same
 * numbers; the sign of a pair of vectors is a matter of choice.
 *
 * @example
 * topSingular(Float32Array.of(3, 0, 0, 0, 0, 2), 2, 3, 1).values.map(Math.round); // => [3]
 */
export function topSingular(
  matrix: ArrayLike<number>,
  rows: number,
  columns: number,
  count: number,
): TopSingular {
  const lines = Array.from({ length: rows }, (_, i) =>
    Float64Array.from({ length: columns }, (_x, j) => matrix[i * columns + j]!),
  );
  const most = Math.min(rows, columns);
  const wanted = Math.min(count, most);
  const basis = new Bidiagonal(lines, columns);
  let size = Math.min(most, 2 * wanted + 16);
  for (;;) {
    basis.grow(size);
    const found = basis.triples(wanted);
    if (found !== undefined || size === most) {
      const vectors = found ?? basis.triples(wanted, true)!;
      return finished(lines, columns, vectors, count);
    }
    size = Math.min(most, Math.ceil(1.5 * size));
  }
}

/** Orthonormal bases U and V with M·V = U·B, B upper bidiagonal. */
class Bidiagonal {
  readonly #left: Float64Array[] = [];
  readonly #right: Float64Array[];
  readonly #alpha: number[] = [];
  readonly #beta: number[] = [];

  constructor(
    private readonly lines: readonly Float64Array[],
    private readonly columns: number,
  ) {
    this.#right = [];
    this.#right.push(this.#another(0));
  }

  grow(size: number): void {
    const { lines, columns } = this;
    for (let k = this.#left.length; k < size; k++) {
      const v = this.#right[k]!;
      const u = Float64Array.from(lines, (line) => dot(line, v));
      this.#alpha.push(normalise(u, this.#left, () => unit(this.#left, u.length, k)));
      this.#left.push(u);
      const next = new Float64Array(columns);
      lines.forEach((line, i) => addTo(next, u[i]!, line));
      this.#beta.push(
        this.#right.length === columns ? 0 : normalise(next, this.#right, () => this.#another(k + 1)),
      );
      this.#right.push(next);
    }
  }

  /**
   * A right vector that is orthogonal to the others, of the rows' span while any of that is left: what lies outside takes
   * steps, and a wide matrix has no more of them than rows.
   */
  #another(place: number): Float64Array {
    const left = unit(this.#left, this.lines.length, place);
    const vector = new Float64Array(this.columns);
    this.lines.forEach((line, i) => addTo(vector, left[i]!, line));
    normalise(vector, this.#right, () => unit(this.#right, this.columns, place));
    return vector;
  }

  /** The right singular vectors, if they are exact enough or must do. */
  triples(count: number, mustDo = false): Float64Array[] | undefined {
    const size = this.#left.length;
    const [alpha, beta] = [this.#alpha, this.#beta];
    const gram = new Float64Array(size * size);
    for (let k = 0; k < size; k++) {
      gram[k * size + k] = alpha[k]! ** 2 + (k > 0 ? beta[k - 1]! ** 2 : 0);
      if (k > 0) gram[k * size + k - 1] = gram[(k - 1) * size + k] = alpha[k - 1]! * beta[k - 1]!;
    }
    const { values, vectors } = symmetricEigen(gram, size);
    const largest = Math.sqrt(Math.max(0, values[size - 1]!));
    const found: Float64Array[] = [];
    for (let i = 0; i < count; i++) {
      const column = size - 1 - i;
      const q = Float64Array.from({ length: size }, (_, k) => vectors[k * size + column]!);
      const sigma = Math.sqrt(Math.max(0, values[column]!));
      // M·v = σ·u holds; what Mᵀ·u misses σ·v by is β times the last entry of u in this basis.
      const last = (alpha[size - 1]! * q[size - 1]!) / (sigma || 1);
      if (!mustDo && Math.abs(beta[size - 1]! * last) > TOLERANCE * largest && sigma > TOLERANCE * largest)
        return undefined;
      const v = new Float64Array(this.columns);
      q.forEach((weight, k) => addTo(v, weight, this.#right[k]!));
      found.push(v);
    }
    return found;
  }
}

/** Left vectors and values by one more product; those of a value that is zero but for rounding are zeros. */
function finished(
  lines: readonly Float64Array[],
  columns: number,
  vectors: readonly Float64Array[],
  count: number,
): TopSingular {
  const triples = Array.from({ length: count }, (_, i) => {
    const right = vectors[i] ?? new Float64Array(columns);
    const left = Float64Array.from(lines, (line) => dot(line, right));
    const value = Math.sqrt(dot(left, left));
    return { value, left, right };
  });
  const floor = 1e-12 * (triples[0]?.value ?? 0);
  return {
    values: triples.map(({ value }) => (value > floor ? value : 0)),
    left: triples.map(({ value, left }) => left.map((x) => (value > floor ? x / value : 0))),
    right: triples.map(({ value, right }) => (value > floor ? right : right.map(() => 0))),
  };
}

/** Makes a vector orthogonal to a basis and of length 1; returns its length. One that vanishes is replaced by another. */
function normalise(
  vector: Float64Array,
  basis: readonly Float64Array[],
  another: () => Float64Array,
): number {
  const before = Math.sqrt(dot(vector, vector));
  for (let twice = 0; twice < 2; twice++)
    for (const other of basis) addTo(vector, -dot(other, vector), other);
  const length = Math.sqrt(dot(vector, vector));
  if (length > 1e-13 * before && length > 0) {
    vector.forEach((x, i) => (vector[i] = x / length));
    return length;
  }
  vector.set(another());
  return 0;
}

/** A unit vector that is orthogonal to a basis: zeros where there is none. */
function unit(basis: readonly Float64Array[], length: number, place: number): Float64Array {
  const vector = Float64Array.from({ length }, (_, i) => Math.sin((i + 1) * (place + 1.7) * 12.9898) + 0.1);
  for (let twice = 0; twice < 2; twice++)
    for (const other of basis) addTo(vector, -dot(other, vector), other);
  const size = Math.sqrt(dot(vector, vector));
  return size > 1e-8 ? vector.map((x) => x / size) : vector.fill(0);
}

function addTo(sum: Float64Array, weight: number, vector: Float64Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += weight * vector[i]!;
}
