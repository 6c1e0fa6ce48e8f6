// Compiled once per instruction set with MILLRACE_ISA naming it. No templates of the standard library here: the
// linker would be free to use this file's copies of them, with their instructions, everywhere.
#include "loops.h"

#include "approximations.h"

#ifndef MILLRACE_ISA
#define MILLRACE_ISA base
#endif

namespace millrace {
namespace MILLRACE_ISA {
namespace {

// Each case has its own loop, so that the compiler can vectorise it.
#define EACH(expression)                 \
  {                                      \
    _Pragma("omp simd")                  \
    for (size_t i = 0; i < n; i++) {     \
      float a = x[i];                    \
      y[i] = (expression);               \
    }                                    \
    return;                              \
  }

void unary(Unary op, const float* x, float* y, size_t n, float p, float q) {
  switch (op) {
    case Unary::Neg: EACH(-a)
    case Unary::Abs: EACH(fabsf(a))
    case Unary::Square: EACH(a * a)
    case Unary::Sign: EACH(a > 0.f ? 1.f : a < 0.f ? -1.f : a)
    case Unary::Relu: EACH(a < 0.f ? 0.f : a)
    case Unary::Relu6: EACH(a < 0.f ? 0.f : a > 6.f ? 6.f : a)
    case Unary::Exp: EACH(exponential(a))
    case Unary::Erf: EACH(errorFunction(a))
    case Unary::Sigmoid: EACH(1.f / (1.f + exponential(-a)))
    case Unary::Gelu: EACH(a * cdf(a))
    case Unary::Sqrt: EACH(sqrtf(a))
    case Unary::Rsqrt: EACH(1.f / sqrtf(a))
    case Unary::Reciprocal: EACH(1.f / a)
    case Unary::Floor: EACH(floorf(a))
    case Unary::Ceil: EACH(ceilf(a))
    case Unary::Round: EACH(nearbyintf(a))
    case Unary::Step: EACH(a > 0.f ? 1.f : a == a ? p : a)
    case Unary::LeakyRelu: EACH(a < 0.f ? a * p : a)
    case Unary::ClipByValue: EACH(a > q ? q : a < p ? p : a)
    case Unary::Elu: EACH(a >= 0.f ? a : exponential(a) - 1.f)
    case Unary::Expm1: for (size_t i = 0; i < n; i++) y[i] = expm1f(x[i]); return;
    case Unary::Log: for (size_t i = 0; i < n; i++) y[i] = logf(x[i]); return;
    case Unary::Log1p: for (size_t i = 0; i < n; i++) y[i] = log1pf(x[i]); return;
    case Unary::Tanh: for (size_t i = 0; i < n; i++) y[i] = tanhf(x[i]); return;
    case Unary::Sinh: for (size_t i = 0; i < n; i++) y[i] = sinhf(x[i]); return;
    case Unary::Cosh: for (size_t i = 0; i < n; i++) y[i] = coshf(x[i]); return;
    case Unary::Sin: for (size_t i = 0; i < n; i++) y[i] = sinf(x[i]); return;
    case Unary::Cos: for (size_t i = 0; i < n; i++) y[i] = cosf(x[i]); return;
    case Unary::Softplus:
      for (size_t i = 0; i < n; i++) y[i] = fmaxf(x[i], 0.f) + log1pf(expf(-fabsf(x[i])));
      return;
  }
}

#define PAIR(type, expression)                                                    \
  {                                                                               \
    if (sa && sb) {                                                               \
      _Pragma("omp simd") for (size_t i = 0; i < n; i++) {                        \
        float p = a[i], q = b[i];                                                 \
        y[i] = (type)(expression);                                                \
      }                                                                           \
    } else if (sa) {                                                              \
      float q = b[0];                                                             \
      _Pragma("omp simd") for (size_t i = 0; i < n; i++) {                        \
        float p = a[i];                                                           \
        y[i] = (type)(expression);                                                \
      }                                                                           \
    } else if (sb) {                                                              \
      float p = a[0];                                                             \
      _Pragma("omp simd") for (size_t i = 0; i < n; i++) {                        \
        float q = b[i];                                                           \
        y[i] = (type)(expression);                                                \
      }                                                                           \
    } else {                                                                      \
      float p = a[0], q = b[0];                                                   \
      for (size_t i = 0; i < n; i++) y[i] = (type)(expression);                   \
    }                                                                             \
    return;                                                                       \
  }

/** The remainder with the sign of the divisor, as JavaScript libraries have it. */
inline float modulo(float p, float q) {
  float r = fmodf(p, q);
  return (p < 0.f) == (q < 0.f) ? r : fmodf(r + q, q);
}

void binary(Binary op, const float* a, int sa, const float* b, int sb, float* y, size_t n) {
  switch (op) {
    case Binary::Add: PAIR(float, p + q)
    case Binary::Sub: PAIR(float, p - q)
    case Binary::Multiply: PAIR(float, p * q)
    case Binary::RealDiv: PAIR(float, p / q)
    case Binary::Maximum: PAIR(float, p != p ? p : q != q ? q : p > q ? p : q)
    case Binary::Minimum: PAIR(float, p != p ? p : q != q ? q : p < q ? p : q)
    case Binary::SquaredDifference: PAIR(float, (p - q) * (p - q))
    case Binary::FloorDiv: PAIR(float, floorf(p / q))
    case Binary::Mod: PAIR(float, modulo(p, q))
    case Binary::Pow: PAIR(float, q == 2.f ? p * p : powf(p, q))
  }
}

void compare(Compare op, const float* a, int sa, const float* b, int sb, uint8_t* y, size_t n) {
  switch (op) {
    case Compare::Equal: PAIR(uint8_t, p == q)
    case Compare::NotEqual: PAIR(uint8_t, p != q)
    case Compare::Less: PAIR(uint8_t, p < q)
    case Compare::LessEqual: PAIR(uint8_t, p <= q)
    case Compare::Greater: PAIR(uint8_t, p > q)
    case Compare::GreaterEqual: PAIR(uint8_t, p >= q)
    case Compare::LogicalAnd: PAIR(uint8_t, (p != 0.f) & (q != 0.f))
    case Compare::LogicalOr: PAIR(uint8_t, (p != 0.f) | (q != 0.f))
  }
}

/** In stretches, each summed in f32, the stretches in f64: the error does not grow with n. */
double sum(const float* x, size_t n) {
  double total = 0;
  for (size_t from = 0; from < n; from += 2048) {
    size_t m = n - from < 2048 ? n - from : 2048;
    float part = 0;
#pragma omp simd reduction(+ : part)
    for (size_t i = 0; i < m; i++) part += x[from + i];
    total += part;
  }
  return total;
}

float reduce(Reduce op, const float* x, size_t n) {
  float y;
  switch (op) {
    case Reduce::Sum: return (float)sum(x, n);
    case Reduce::Max:
      y = -INFINITY;
      for (size_t i = 0; i < n; i++) y = x[i] != x[i] ? x[i] : y != y ? y : x[i] > y ? x[i] : y;
      return y;
    case Reduce::Min:
      y = INFINITY;
      for (size_t i = 0; i < n; i++) y = x[i] != x[i] ? x[i] : y != y ? y : x[i] < y ? x[i] : y;
      return y;
    case Reduce::Prod:
      y = 1;
      for (size_t i = 0; i < n; i++) y *= x[i];
      return y;
  }
  return 0;
}

void accumulate(Reduce op, float* y, const float* b, size_t n) {
  const float* a = y;
  const int sa = 1, sb = 1;
  switch (op) {
    case Reduce::Sum: PAIR(float, p + q)
    case Reduce::Max: PAIR(float, p != p ? p : q != q ? q : p > q ? p : q)
    case Reduce::Min: PAIR(float, p != p ? p : q != q ? q : p < q ? p : q)
    case Reduce::Prod: PAIR(float, p * q)
  }
}

void toF32(const uint16_t* x, float* y, size_t n) {
#pragma omp simd
  for (size_t i = 0; i < n; i++) y[i] = wide(x[i]);
}

void toBf16(const float* x, uint16_t* y, size_t n) {
#pragma omp simd
  for (size_t i = 0; i < n; i++) y[i] = narrow(x[i]);
}

void geluNarrow(const uint16_t* x, uint16_t* y, size_t n) {
#pragma omp simd
  for (size_t i = 0; i < n; i++) {
    float a = wide(x[i]);
    y[i] = narrow(a * roughCdf(a));
  }
}

void geluGradNarrow(const uint16_t* dy, const uint16_t* x, uint16_t* y, size_t n) {
#pragma omp simd
  for (size_t i = 0; i < n; i++) y[i] = narrow(wide(dy[i]) * roughGeluSlope(wide(x[i])));
}

void geluGrad(const float* dy, const float* x, float* y, size_t n) {
#pragma omp simd
  for (size_t i = 0; i < n; i++) {
    float a = x[i];
    // One exponential serves both Φ and φ: erf's e^(−z²) with z = a/√2 is e^(−a²/2).
    float z = fabsf(a) * 0.70710678f;
    float e = exponential(-0.5f * a * a);
    float t = 1.f / (1.f + 0.3275911f * z);
    float p = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
    float erf = 1.f - p * e;
    erf = a < 0.f ? -erf : erf;
    y[i] = dy[i] * (0.5f * (1.f + erf) + a * e * 0.39894228f);
  }
}

float largest(const float* x, size_t n) {
  float most = -INFINITY;
#pragma omp simd reduction(max : most)
  for (size_t i = 0; i < n; i++) most = x[i] > most ? x[i] : most;
  return most;
}

float softmax(const float* x, float scale, float* y, size_t n) {
  float most = scale >= 0 ? largest(x, n) : 0;
  float total = 0;
#pragma omp simd reduction(+ : total)
  for (size_t i = 0; i < n; i++) {
    y[i] = exponential((x[i] - most) * scale);
    total += y[i];
  }
  float factor = 1.f / total;
#pragma omp simd
  for (size_t i = 0; i < n; i++) y[i] *= factor;
  return most * scale + logf(total);
}

void softmaxAgain(const float* x, float scale, float logSum, float* y, size_t n) {
#pragma omp simd
  for (size_t i = 0; i < n; i++) y[i] = exponential(scale * x[i] - logSum);
}

void logSoftmax(const float* x, float* y, size_t n) {
  float most = largest(x, n), total = 0;
#pragma omp simd reduction(+ : total)
  for (size_t i = 0; i < n; i++) total += exponential(x[i] - most);
  float shift = most + logf(total);
#pragma omp simd
  for (size_t i = 0; i < n; i++) y[i] = x[i] - shift;
}

void softmaxGrad(const float* p, const float* dp, float scale, float* y, size_t n) {
  float dot = 0;
#pragma omp simd reduction(+ : dot)
  for (size_t i = 0; i < n; i++) dot += p[i] * dp[i];
#pragma omp simd
  for (size_t i = 0; i < n; i++) y[i] = scale * p[i] * (dp[i] - dot);
}

/**
 * Pixels of e^(logits − their largest), class by class: p[k·n + i]; that largest and their sums. Every loop that follows walks
 * along pixels, whatever the number of classes.
 */
void exponentialPlanes(const float* logits, size_t n, size_t classes, float* p, float* most, float* total) {
  for (size_t k = 0; k < classes; k++)
#pragma omp simd
    for (size_t i = 0; i < n; i++) p[k * n + i] = logits[i * classes + k];
#pragma omp simd
  for (size_t i = 0; i < n; i++) most[i] = p[i], total[i] = 0;
  for (size_t k = 1; k < classes; k++)
#pragma omp simd
    for (size_t i = 0; i < n; i++) most[i] = p[k * n + i] > most[i] ? p[k * n + i] : most[i];
  for (size_t k = 0; k < classes; k++)
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
      p[k * n + i] = exponential(p[k * n + i] - most[i]);
      total[i] += p[k * n + i];
    }
}

/** Pixels of softmax(logits), class by class: p[k·n + i]. */
void softmaxPlanes(const float* logits, size_t n, size_t classes, float* p, float* most, float* total) {
  exponentialPlanes(logits, n, classes, p, most, total);
  for (size_t k = 0; k < classes; k++)
#pragma omp simd
    for (size_t i = 0; i < n; i++) p[k * n + i] /= total[i];
}

void overlap(const float* logits, const int32_t* masks, size_t n, size_t classes, double* sums, float* room) {
  float *p = room, *counts = room + classes * n, *other = counts + n;
  softmaxPlanes(logits, n, classes, p, counts, other);
#pragma omp simd
  for (size_t i = 0; i < n; i++) counts[i] = masks[i] == kIgnoredPixel ? 0.f : 1.f;
  for (size_t k = 0; k < classes; k++) {
    float both = 0, predicted = 0, target = 0;
#pragma omp simd reduction(+ : both, predicted, target)
    for (size_t i = 0; i < n; i++) {
      // An ignored pixel counts for nothing even where its logits are not finite.
      float q = counts[i] != 0.f ? p[k * n + i] : 0.f, t = masks[i] == (int32_t)k ? counts[i] : 0.f;
      predicted += q;
      both += t * q;
      target += t;
    }
    sums[k] += both;
    sums[classes + k] += predicted;
    sums[2 * classes + k] += target;
  }
}

void overlapGrad(const float* dy, const float* logits, const int32_t* masks, size_t n, size_t classes, float* dx,
                 float* room) {
  float *p = room, *along = room + classes * n, *other = along + n;
  softmaxPlanes(logits, n, classes, p, along, other);
#pragma omp simd
  for (size_t i = 0; i < n; i++) along[i] = 0;
  for (size_t k = 0; k < classes; k++) {
    float predicted = dy[classes + k], both = dy[k];
#pragma omp simd
    for (size_t i = 0; i < n; i++) along[i] += p[k * n + i] * (predicted + (masks[i] == (int32_t)k ? both : 0.f));
  }
  for (size_t k = 0; k < classes; k++) {
    float predicted = dy[classes + k], both = dy[k];
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
      float slope = predicted + (masks[i] == (int32_t)k ? both : 0.f);
      dx[i * classes + k] = masks[i] == kIgnoredPixel ? 0.f : p[k * n + i] * (slope - along[i]);
    }
  }
}

double crossEntropy(const float* logits, const int32_t* masks, size_t n, size_t classes, float* room) {
  float *p = room, *most = room + classes * n, *total = most + n;
  exponentialPlanes(logits, n, classes, p, most, total);
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (size_t i = 0; i < n; i++) {
    bool counts = masks[i] != kIgnoredPixel && masks[i] >= 0 && (size_t)masks[i] < classes;
    float right = logits[i * classes + (counts ? (size_t)masks[i] : 0)];
    float loss = (most[i] - right) + logarithm(total[i]);
    sum += counts ? loss : 0.f;
  }
  return sum;
}

void crossEntropyGrad(float factor, const float* logits, const int32_t* masks, size_t n, size_t classes, float* dx,
                      float* room) {
  float *p = room, *most = room + classes * n, *total = most + n;
  exponentialPlanes(logits, n, classes, p, most, total);
  for (size_t k = 0; k < classes; k++)
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
      float slope = (p[k * n + i] / total[i] - (masks[i] == (int32_t)k ? 1.f : 0.f)) * factor;
      dx[i * classes + k] = masks[i] == kIgnoredPixel ? 0.f : slope;
    }
}

void layerNorm(const float* x, const float* gain, const float* bias, float epsilon, float* y, float* mean,
               float* scale, size_t n) {
  float total = 0, squares = 0;
#pragma omp simd reduction(+ : total)
  for (size_t i = 0; i < n; i++) total += x[i];
  float mu = total / n;
#pragma omp simd reduction(+ : squares)
  for (size_t i = 0; i < n; i++) squares += (x[i] - mu) * (x[i] - mu);
  float rho = 1.f / sqrtf(squares / n + epsilon);
#pragma omp simd
  for (size_t i = 0; i < n; i++) y[i] = (x[i] - mu) * rho * gain[i] + bias[i];
  *mean = mu;
  *scale = rho;
}

void layerNormGrad(const float* dy, const float* x, const float* gain, float mean, float scale, float* dx, size_t n) {
  float total = 0, along = 0;
#pragma omp simd reduction(+ : total, along)
  for (size_t i = 0; i < n; i++) {
    float d = dy[i] * gain[i];
    total += d;
    along += d * ((x[i] - mean) * scale);
  }
  total /= n;
  along /= n;
#pragma omp simd
  for (size_t i = 0; i < n; i++)
    dx[i] = scale * (dy[i] * gain[i] - total - ((x[i] - mean) * scale) * along);
}

void adam(const float* g, const float* m, const float* v, float* update, float* m2, float* v2, AdamStep s, size_t n) {
#pragma omp simd
  for (size_t i = 0; i < n; i++) {
    float mean = s.beta1 * m[i] + (1.f - s.beta1) * g[i];
    float square = s.beta2 * v[i] + (1.f - s.beta2) * g[i] * g[i];
    m2[i] = mean;
    v2[i] = square;
    update[i] = s.rate1 * mean / (s.rate2 * sqrtf(square) + s.epsilon);
  }
}

}  // namespace

extern const Loops table;
const Loops table = {unary,      binary,  compare,    reduce,      accumulate, toF32, toBf16, geluGrad, geluNarrow, geluGradNarrow,
                     softmax, softmaxAgain, logSoftmax, softmaxGrad, overlap, overlapGrad, crossEntropy, crossEntropyGrad, layerNorm, layerNormGrad, adam};

}  // namespace MILLRACE_ISA
}  // namespace millrace
