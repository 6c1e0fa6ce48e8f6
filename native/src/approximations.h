#pragma once
// Included by files that are compiled once per instruction set: everything here stays inside each of them.
#include <math.h>
#include <stdint.h>
#include <string.h>

namespace millrace {
namespace {

inline float fromBits(int32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

inline int32_t toBits(float x) {
  int32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}

inline float wide(uint16_t x) { return fromBits((int32_t)((uint32_t)x << 16)); }

/** To bf16, the nearest, ties to even; NaN stays one. */
inline uint16_t narrow(float x) {
  uint32_t bits = (uint32_t)toBits(x);
  uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return (uint16_t)(x == x ? rounded : ((bits >> 16) | 0x40u));
}

/** eˣ = 2ᵏ·eʳ with |r| ≤ ½·ln 2 and a polynomial for eʳ; within 2 ulp, 0 and ∞ at the ends, NaN stays. */
inline float exponential(float x) {
  float c = x < -87.3f ? -87.3f : x > 88.7f ? 88.7f : x;
  float k = c * 1.44269504f;
  k = (k + 12582912.f) - 12582912.f;
  float r = (c - k * 0.693359375f) + k * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.f;
  // In two factors, since 2¹²⁸ alone is no float.
  int32_t n = (int32_t)k, half = n >> 1;
  float y = p * fromBits((half + 127) << 23) * fromBits((n - half + 127) << 23);
  y = x < -87.3f ? 0.f : y;
  y = x > 88.7228f ? INFINITY : y;
  return x == x ? y : x;
}

/**
 * ln x = k·ln 2 + 2·artanh(s), where x = 2ᵏ·m with √½ ≤ m < √2, s = (m − 1)/(m + 1) and 2·artanh(s) = 2s + s³·P(s²), P a minimax
 * fit: within 2 ulp. Of x ≥ 2⁻¹²⁶ and ∞; NaN stays.
 */
inline float logarithm(float x) {
  int32_t bits = (int32_t)((uint32_t)toBits(x) - 0x3f3504f3u), k = bits >> 23;
  float f = fromBits((bits & 0x7fffff) + 0x3f3504f3) - 1.f;
  float s = f / (2.f + f), z = s * s;
  float p = 2.957994939e-1f;
  p = p * z + 3.998878057e-1f;
  p = p * z + 6.666668504e-1f;
  // 2s = f − f·s, of which the first part is exact.
  float y = f - (s * (f - z * p) + (float)k * 2.12194440e-4f) + (float)k * 0.693359375f;
  return x < INFINITY ? y : x;
}

/** Abramowitz & Stegun 7.1.26, absolute error below 1.5e-7. */
inline float errorFunction(float x) {
  float a = fabsf(x);
  float t = 1.f / (1.f + 0.3275911f * a);
  float p = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
  float y = 1.f - p * exponential(-a * a);
  return x < 0.f ? -y : y;
}

inline float cdf(float x) { return 0.5f * (1.f + errorFunction(x * 0.70710678f)); }

/**
 * Φ(x) = ½ + x·P(x²), P a minimax fit on |x| ≤ 4.5, constant beyond: x·Φ(x) is within 5e-5 of the truth for |x| ≤ 6.
 * For results that bf16 rounds anyway.
 */
inline float roughCdf(float x) {
  float c = x < -4.5f ? -4.5f : x > 4.5f ? 4.5f : x, u = c * c;
  float p = -1.400070590e-12f;
  p = p * u + 1.697306929e-10f;
  p = p * u - 9.193762013e-09f;
  p = p * u + 2.958901573e-07f;
  p = p * u - 6.365260207e-06f;
  p = p * u + 9.787139847e-05f;
  p = p * u - 1.122678680e-03f;
  p = p * u + 9.833185478e-03f;
  p = p * u - 6.633705714e-02f;
  p = p * u + 3.988837948e-01f;
  return 0.5f + c * p;
}

/** gelu′(x) = Φ(x) + x·φ(x) likewise, within 2e-4. */
inline float roughGeluSlope(float x) {
  float c = x < -4.5f ? -4.5f : x > 4.5f ? 4.5f : x, u = c * c;
  float p = -2.210827150e-11f;
  p = p * u + 2.521341525e-09f;
  p = p * u - 1.268062354e-07f;
  p = p * u + 3.721952879e-06f;
  p = p * u - 7.122216615e-05f;
  p = p * u + 9.405432346e-04f;
  p = p * u - 8.815863047e-03f;
  p = p * u + 5.860930784e-02f;
  p = p * u - 2.649256778e-01f;
  p = p * u + 7.976261402e-01f;
  return 0.5f + c * p;
}

}  // namespace
}  // namespace millrace
