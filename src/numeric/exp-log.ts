/**
 * e^x and ln x, correctly rounded (but for about one argument in a million, which is off by one unit in the last
 * place): the nearest double to the true value, on every platform.
 *
 * Math.exp and Math.log are off by one unit for some percent of all arguments, in other places than the C library
 * that Python uses, whose own are within 0.52 units (glibc 2.28 and later). Where a result must be comparable bit for
 * bit, the true value is the common ground.
 *
 * Numbers in pairs (high + low, Dekker 1971) carry about 100 bits.
 */
const SPLIT = 134217729;
/** ln 2 / 32 in three parts; whole multiples of the first are exact. */
const STEP_1 = 0.021660849391992087;
const STEP_2 = 5.062034433330175e-13;
const STEP_3 = -4.1014682555578923e-29;
const STEPS = 46.16624130844683;
/** 2^n for n from −1100. */
const SCALES = Float64Array.from({ length: 2200 }, (_, i) => 2 ** (i - 1100));
/** ln 2 in two parts; whole multiples of the first are exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;
const LOW = 1 - HIGH;
const SIXTH_LOW = 9.25185853854297e-18;
const THIRD_LOW = 1.850371707708594e-17;

/** The low part of the last result of the functions that return pairs. */
let low = 0;
/** The exponent that `expPair` left out. */
let exponent = 0;
/** 2^(j/32), high and low. */
const [POWERS, POWERS_LOW] = powers(1.0218971486541166, 5.109225028973444e-17);
/** 1/m for the middle of each 128th of [1, 2), with 24 bits, and minus its logarithm, high and low. */
const INVERSES = Float64Array.from({ length: 128 }, (_, j) => Math.fround(1 / (1 + (j + 0.5) / 128)));
const [INVERSE_LOGS, INVERSE_LOGS_LOW] = logs(INVERSES);

/** e^x, correctly rounded; 0 below the subnormals. */
export function exp(x: number): number {
  if (x > -700 && x < 700) {
    // First with 56 bits, which settle nine arguments of ten.
    const k = Math.round(x * STEPS);
    const j = k & 31;
    const r = x - k * STEP_1 - k * STEP_2;
    const power = POWERS[j]!;
    const higher = 1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040)));
    const more = power * (r + r * r * (0.5 + r * (1 / 6 + r * higher))) + POWERS_LOW[j]!;
    const value = power + more;
    const rest = more - (value - power);
    if (value + (rest + 2 ** -56) === value && value + (rest - 2 ** -56) === value)
      return value * SCALES[(k - j) / 32 + 1100]!;
  }
  if (!(x > -746 && x < 710)) return x < 0 ? 0 : x + Number.POSITIVE_INFINITY;
  const value = expPair(x);
  if (exponent > 1000) return value * 2 ** (exponent - 1000) * 2 ** 1000;
  return exponent < -1000 ? value * 2 ** -1000 * 2 ** (exponent + 1000) : value * 2 ** exponent;
}

/** ln x, correctly rounded; −∞ at 0, NaN below. */
export function log(x: number): number {
  if (x > 2 ** -1000 && (x < 0.99 || x > 1.01) && x < 2 ** 1000) {
    // First with 64 bits after the point: x = 2^k·m, ln m = −ln inverse + ln(1 + r) with r = m·inverse − 1.
    double[0] = x;
    const high = words[HIGH]!;
    const k = (high >>> 20) - 1023;
    words[HIGH] = (high & 0xfffff) | 0x3ff00000;
    const j = (high >>> 13) & 127;
    const m = double[0]!;
    words[LOW] = words[LOW]! & 0xf8000000;
    const front = double[0]!;
    const inverse = INVERSES[j]!;
    const a = front * inverse - 1;
    const b = (m - front) * inverse;
    const r = a + b;
    const series = r * r * (-1 / 2 + r * (1 / 3 + r * (-1 / 4 + r * (1 / 5 + r * (-1 / 6 + r * (1 / 7))))));
    const integerPart = k * LN2_HIGH;
    const base = integerPart + INVERSE_LOGS[j]!;
    const baseLow = INVERSE_LOGS[j]! - (base - integerPart);
    const total = base + r;
    const shift = total - base;
    const totalLow = base - (total - shift) + (r - shift);
    const more = totalLow + baseLow + k * LN2_LOW + INVERSE_LOGS_LOW[j]! + (b - (r - a)) + series;
    const value = total + more;
    const rest = more - (value - total);
    if (value + (rest + 2 ** -64) === value && value + (rest - 2 ** -64) === value) return value;
  }
  const estimate = Math.log(x);
  if (!Number.isFinite(estimate) || estimate === 0) return estimate;
  if (estimate > -0.01 && estimate < 0.01) return logNearOne(x - 1);
  // x = e^estimate · (1 + z), so that ln x = estimate + z − z²/2.
  const inverse = expPair(-estimate);
  const inverseLow = low;
  const scaled = exponent > 1000 ? x * 2 ** (exponent - 1000) * 2 ** 1000 : x * 2 ** exponent;
  const product = multiply(scaled, inverse);
  const z = product - 1 + (low + scaled * inverseLow);
  return estimate + (z - (z * z) / 2);
}

/** x^y of a positive x, correctly rounded like `exp`. */
export function pow(x: number, y: number): number {
  if (x === 1 || y === 0) return 1;
  // ln x in two parts, to be multiplied by y exactly.
  const estimate = Math.log(x);
  const inverse = expPair(-estimate);
  const inverseLow = low;
  const scaled = x * 2 ** exponent;
  const product = multiply(scaled, inverse);
  const rest = product - 1 + (low + scaled * inverseLow);
  const high = multiply(y, estimate);
  const highLow = low + y * rest;
  const value = expPair(high);
  return (value + (low + value * highLow)) * 2 ** exponent;
}

/** e^x / 2^exponent, high part; |x| up to 746. */
function expPair(x: number): number {
  const k = Math.round(x * STEPS);
  const j = k & 31;
  // r = x − k·ln 2/32, |r| < 0.011
  const product = multiply(k, STEP_2);
  const productLow = low;
  const difference = x - k * STEP_1;
  const rest = sum(difference, -product);
  const r = quickSum(rest, low - productLow - k * STEP_3);
  const rLow = low;
  // e^r − 1 = r + r²/2 + r³/6 + …, the first three in pairs
  let square = multiply(r, r);
  square = quickSum(square, low + 2 * r * rLow);
  const squareLow = low;
  let cube = multiply(square, r);
  cube = quickSum(cube, low + square * rLow + squareLow * r);
  const cubeLow = low;
  let sixth = multiply(cube, 1 / 6);
  sixth = quickSum(sixth, low + cube * SIXTH_LOW + cubeLow * (1 / 6));
  const sixthLow = low;
  const tail =
    square *
    square *
    (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040 + r * (1 / 40320 + r / 362880)))));
  const curved = sum(square / 2, sixth);
  const curvedLow = low + squareLow / 2 + sixthLow + tail;
  const m = sum(r, curved);
  const mLow = low + rLow + curvedLow;
  // 2^(j/32) · (1 + m)
  const power = POWERS[j]!;
  const powerLow = POWERS_LOW[j]!;
  const scaled = multiply(power, m);
  const scaledLow = low + power * mLow + powerLow * m;
  const total = sum(power, scaled);
  exponent = (k - j) / 32;
  return quickSum(total, low + powerLow + scaledLow);
}

/** ln(1 + f) by its series, the first four terms in pairs; |f| < 0.011. */
function logNearOne(f: number): number {
  const square = multiply(f, f);
  const squareLow = low;
  let cube = multiply(square, f);
  cube = quickSum(cube, low + squareLow * f);
  const cubeLow = low;
  let third = multiply(cube, 1 / 3);
  third = quickSum(third, low + cube * THIRD_LOW + cubeLow / 3);
  const thirdLow = low;
  let fourth = multiply(cube, f / 4);
  fourth = quickSum(fourth, low + (cubeLow * f) / 4);
  const fourthLow = low;
  const fifth = square * cube;
  let tail = 0;
  for (let n = 14; n >= 5; n--) tail = tail * f + (n % 2 ? 1 : -1) / n;
  const higher = sum(third, -fourth);
  const higherLow = low + thirdLow - fourthLow + fifth * tail;
  const curved = sum(-square / 2, higher);
  const curvedLow = low - squareLow / 2 + higherLow;
  const total = sum(f, curved);
  return total + (low + curvedLow);
}

/** a·b, exactly (Veltkamp & Dekker). */
function multiply(a: number, b: number): number {
  const product = a * b;
  const aSplit = a * SPLIT;
  const aHigh = aSplit - (aSplit - a);
  const aLow = a - aHigh;
  const bSplit = b * SPLIT;
  const bHigh = bSplit - (bSplit - b);
  const bLow = b - bHigh;
  low = aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
  return product;
}

/** a + b, exactly (Knuth). */
function sum(a: number, b: number): number {
  const total = a + b;
  const shift = total - a;
  low = a - (total - shift) + (b - shift);
  return total;
}

/** a + b, exactly, where |a| ≥ |b|. */
function quickSum(a: number, b: number): number {
  const total = a + b;
  low = b - (total - a);
  return total;
}

/** Minus the logarithms of the numbers, high and low. */
function logs(numbers: Float64Array): [Float64Array, Float64Array] {
  const highs = numbers.map((x) => -Math.log(x));
  const lows = numbers.map((x, j) => {
    const inverse = expPair(highs[j]!);
    const inverseLow = low;
    const scaled = x * 2 ** exponent;
    const product = multiply(scaled, inverse);
    const z = product - 1 + (low + scaled * inverseLow);
    return -(z - (z * z) / 2);
  });
  return [highs, lows];
}

function powers(high: number, rest: number): [Float64Array, Float64Array] {
  const [highs, lows] = [new Float64Array(32), new Float64Array(32)];
  highs[0] = 1;
  for (let j = 1; j < 32; j++) {
    const product = multiply(highs[j - 1]!, high);
    highs[j] = quickSum(product, low + highs[j - 1]! * rest + lows[j - 1]! * high);
    lows[j] = low;
  }
  return [highs, lows];
}
