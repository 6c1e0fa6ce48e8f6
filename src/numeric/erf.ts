import { exp } from './exp-log.js';

/**
 * The error function and its complement by the approximations of Sun's fdlibm (s_erf.c: Copyright (C) 1993 by Sun
 * Microsystems, Inc. Permission to use, copy, modify, and distribute this software is freely granted, provided that
 * this notice is preserved), off by at most one unit in the last place, erfc in its tail by three.
 *
 * Polynomials are summed in pairs of terms, as glibc 2.36 does, so that Python's `math.erf` and `math.erfc` on such
 * a system agree bit for bit, but for about one argument in ten thousand, where its `exp` is not correctly rounded.
 */
const ERX = 8.45062911510467529297e-1;

/** The error function, 2/√π ∫₀ˣ e^(−t²) dt; `fast` by Math.exp, which may cost the last bit. */
export function erf(x: number, fast = false): number {
  const a = Math.abs(x);
  if (a < 0.84375) {
    if (a < 2 ** -28) return 0.125 * (8 * x + 1.02703333676410069 * x);
    return x + x * small(x * x);
  }
  const value = a < 1.25 ? ERX + middle(a - 1) : a < 6 ? 1 - tail(a, fast) / a : 1;
  return x < 0 ? -value : x > 0 ? value : x;
}

/** 1 − erf x, without cancellation for large x. */
export function erfc(x: number, fast = false): number {
  const a = Math.abs(x);
  if (a < 0.84375) {
    const y = small(x * x);
    return x < 0.25 ? 1 - (x + x * y) : 0.5 - (x - 0.5 + x * y);
  }
  if (a < 1.25) return x >= 0 ? 1 - ERX - middle(a - 1) : 1 + (ERX + middle(a - 1));
  if (a < 28 && x >= -6) return x > 0 ? tail(a, fast) / a : 2 - tail(a, fast) / a;
  return x > 0 ? 0 : x < 0 ? 2 : x;
}

/** (erf x − x)/x of z = x², below 0.84375. */
function small(z: number): number {
  // biome-ignore format: a table
  return (
    polynomial(z, 1.28379167095512558561e-1, -3.25042107247001499370e-1, -2.84817495755985104766e-2,
      -5.77027029648944159157e-3, -2.37630166566501626084e-5, 0, 0, 0, 0) /
    polynomial(z, 1, 3.97917223959155352819e-1, 6.50222499887672944485e-2, 5.08130628187576562776e-3,
      1.32494738004321644526e-4, -3.96022827877536812320e-6, 0, 0, 0)
  );
}

/** erf(1 + s) − ERX, below 1.25. */
function middle(s: number): number {
  // biome-ignore format: a table
  return (
    polynomial(s, -2.36211856075265944077e-3, 4.14856118683748331666e-1, -3.72207876035701323847e-1,
      3.18346619901161753674e-1, -1.10894694282396677476e-1, 3.54783043256182359371e-2,
      -2.16637559486879084300e-3, 0, 0) /
    polynomial(s, 1, 1.06420880400844228286e-1, 5.40397917702171048937e-1, 7.18286544141962662868e-2,
      1.26171219808761642112e-1, 1.36370839120290507362e-2, 1.19844998467991074170e-2, 0, 0)
  );
}

/** x·erfc x = e^(−x² − 0.5625 + P/Q) for x ≥ 1.25. */
function tail(x: number, fast: boolean): number {
  const s = 1 / (x * x);
  const quotient = x < 1 / 0.35 ? nearTail(s) : farTail(s);
  const z = withoutLowWord(x);
  const [main, rest] = [-z * z - 0.5625, (z - x) * (z + x) + quotient];
  return fast ? Math.exp(main) * Math.exp(rest) : exp(main) * exp(rest);
}

function nearTail(s: number): number {
  // biome-ignore format: a table
  return (
    polynomial(s, -9.86494403484714822705e-3, -6.93858572707181764372e-1, -1.05586262253232909814e1,
      -6.23753324503260060396e1, -1.62396669462573470355e2, -1.84605092906711035994e2,
      -8.12874355063065934246e1, -9.81432934416914548592, 0) /
    polynomial(s, 1, 1.96512716674392571292e1, 1.37657754143519042600e2, 4.34565877475229228821e2,
      6.45387271733267880336e2, 4.29008140027567833386e2, 1.08635005541779435134e2,
      6.57024977031928170135, -6.04244152148580987438e-2)
  );
}

function farTail(s: number): number {
  // biome-ignore format: a table
  return (
    polynomial(s, -9.86494292470009928597e-3, -7.99283237680523006574e-1, -1.77579549177547519889e1,
      -1.60636384855821916062e2, -6.37566443368389627722e2, -1.02509513161107724954e3,
      -4.83519191608651397019e2, 0, 0) /
    polynomial(s, 1, 3.03380607434824582924e1, 3.25792512996573918826e2, 1.53672958608443695994e3,
      3.19985821950859553908e3, 2.55305040643316442583e3, 4.74528541206955367215e2,
      -2.24409524465858183362e1, 0)
  );
}

// biome-ignore format: a row
function polynomial(x: number, c0: number, c1: number, c2: number, c3: number, c4: number, c5: number, c6: number, c7: number, c8: number): number {
  const x2 = x * x;
  const x4 = x2 * x2;
  return c0 + x * c1 + x2 * (c2 + x * c3) + x4 * (c4 + x * c5) + x4 * x2 * (c6 + x * c7) + x4 * x4 * c8;
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;

function withoutLowWord(x: number): number {
  double[0] = x;
  words[LOW] = 0;
  return double[0]!;
}
