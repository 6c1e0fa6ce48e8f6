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

/** eˣ for x ≤ 0, as in a softmax: `exponential` without what larger x need. NaN stays. */
inline float decay(float x) {
  float c = x < -87.3f ? -87.3f : x;
  float k = (c * 1.44269504f + 12582912.f) - 12582912.f;
  float r = (c - k * 0.693359375f) + k * 2.12194440e-4f;
  float p = 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.f;
  float y = p * fromBits(((int32_t)k + 127) << 23);
  return x < -87.3f ? 0.f : y;
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

}  // namespace
}  // namespace millrace
