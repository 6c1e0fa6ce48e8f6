import { erf, erfc } from '../../../numeric/erf.js';
import { exp, log } from '../../../numeric/exp-log.js';

/**
 * The standard normal distribution cut to [a, b], computed step by step as Optuna does (with correctly rounded
 * elementary functions), because what TPE proposes comes out of it.
 */
export const LOG_ROOT_2PI = log(Math.sqrt(2 * Math.PI));
/** The logarithm above which the other tail is computed. */
const FLIP = -1e-2;
const LOGISTIC = Math.sqrt(3) / Math.PI;

/** Φ(x). */
function ndtr(x: number): number {
  const z = x / Math.SQRT2;
  if (z < -Math.SQRT1_2) return 0.5 * erfc(-z);
  return z < Math.SQRT1_2 ? 0.5 + 0.5 * erf(z) : 1 - 0.5 * erfc(z);
}

/** ln Φ(x), accurate in both tails; below −20 by the asymptotic series. */
export function logNdtr(x: number): number {
  if (x > 6) return -ndtr(-x);
  if (x > -20) return log(ndtr(x));
  const factor = 1 / (x * x);
  let sum = 1;
  let last = 0;
  let product = 1;
  let power = 1;
  for (let i = 1; Math.abs(last - sum) > Number.EPSILON; i++) {
    last = sum;
    product *= 2 * i - 1;
    power *= factor;
    sum += (i % 2 ? -product : product) * power;
  }
  return -0.5 * x * x - log(-x) - 0.5 * log(2 * Math.PI) + log(sum);
}

/** ln(Φ(b) − Φ(a)), in the tail that loses no digits. */
export function logMass(a: number, b: number): number {
  if (b <= 0) return logDifference(logNdtr(b), logNdtr(a));
  if (a > 0) return logDifference(logNdtr(-a), logNdtr(-b));
  const below = 0.5 + 0.5 * erf(a / Math.SQRT2);
  const above = 0.5 + 0.5 * erf(-b / Math.SQRT2);
  return Math.log1p(-below - above);
}

/**
 * The quantiles q of normals cut to [a, b], in place of q; e.g. a sample where q is uniform.
 *
 * Newton's iteration goes on until all of one call have converged, so that a value depends, in its last bits, on the
 * others.
 */
export function quantiles(q: Float64Array, a: Float64Array, b: Float64Array): void {
  const leftEnds: number[] = [];
  const right: number[] = [];
  for (let i = 0; i < q.length; i++) (a[i]! < 0 ? leftEnds : right).push(i);
  // Draws from one kernel have the same ends.
  const cache = new Map<number, Ends>();
  const targetOf = (i: number) => {
    const flip = !(a[i]! < 0);
    let ends = cache.get(a[i]!);
    if (!ends || ends.b !== b[i]) {
      ends = { b: b[i]!, logLow: logNdtr(flip ? -b[i]! : a[i]!), logMass: logMass(a[i]!, b[i]!) };
      cache.set(a[i]!, ends);
    }
    return logSum(ends.logLow, (flip ? Math.log1p(-q[i]!) : log(q[i]!)) + ends.logMass);
  };
  const leftValues = inverseLogNdtr(Float64Array.from(leftEnds, targetOf));
  const rightValues = inverseLogNdtr(Float64Array.from(right, targetOf));
  const assign = (i: number, value: number) => {
    q[i] = q[i] === 0 ? a[i]! : q[i] === 1 ? b[i]! : value;
  };
  leftEnds.forEach((i, k) => assign(i, leftValues[k]!));
  right.forEach((i, k) => assign(i, -rightValues[k]!));
}

interface Ends {
  readonly b: number;
  readonly logLow: number;
  readonly logMass: number;
}

/** The x with ln Φ(x) = y for each y, by Newton's method from an approximation of each tail and of the middle. */
function inverseLogNdtr(ys: Float64Array): Float64Array {
  const count = ys.length;
  const z = new Float64Array(count);
  const x = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const y = ys[i]!;
    z[i] = y > FLIP ? log(-Math.expm1(y)) : y;
    x[i] = z[i]! < -5 ? -Math.sqrt(-2 * (z[i]! + LOG_ROOT_2PI)) : -LOGISTIC * log(Math.expm1(-z[i]!));
  }
  /** Stops when a step changed nothing. */
  const fixed = new Uint8Array(count);
  for (let step = 0; step < 100; step++) {
    let converged = true;
    for (let i = 0; i < count; i++) {
      if (fixed[i]) continue;
      const at = x[i]!;
      const logCdf = logNdtr(at);
      const logPdf = -0.5 * (at * at) - LOG_ROOT_2PI;
      const change = (logCdf - z[i]!) * exp(logCdf - logPdf);
      const next = at - change;
      x[i] = next;
      if (next === at) fixed[i] = 1;
      if (!(Math.abs(change) < 1e-8 * Math.abs(next))) converged = false;
    }
    if (converged) break;
  }
  return x.map((value, i) => (ys[i]! > FLIP ? -value : value));
}

/** ln(e^p + e^q). */
function logSum(p: number, q: number): number {
  if (p === q) return p + Math.LN2;
  return p > q ? p + Math.log1p(exp(q - p)) : q + Math.log1p(exp(p - q));
}

/** ln(e^p − e^q). */
function logDifference(p: number, q: number): number {
  return p + Math.log1p(-exp(q - p));
}
