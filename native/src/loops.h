#pragma once
#include <cstddef>
#include <cstdint>

#include "names.h"

namespace millrace {

// What the kernels of one and two numbers compute, under tfjs's names for them.
NAMED_ENUM(Unary, Neg, Abs, Square, Sign, Relu, Exp, Expm1, Log, Log1p, Sqrt, Rsqrt, Erf, Sigmoid, Tanh, Sinh, Cosh, Sin,
           Cos, Reciprocal, Floor, Ceil, Round, Softplus, Elu, Step, LeakyRelu, ClipByValue, Relu6, Gelu)
NAMED_ENUM(Binary, Add, Sub, Multiply, RealDiv, Maximum, Minimum, Pow, SquaredDifference, FloorDiv, Mod)
NAMED_ENUM(Compare, Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, LogicalAnd, LogicalOr)
NAMED_ENUM(Reduce, Sum, Max, Min, Prod)

/** The class id of a pixel that counts for nothing. */
constexpr int32_t kIgnoredPixel = 255;

/** Adam's constants; `rate1` and `rate2` are 1/(1 − βᵗ) and 1/√(1 − βᵗ). */
struct AdamStep {
  float beta1, beta2, epsilon, rate1, rate2;
};

/**
 * The inner loops, each over a contiguous run of numbers on one thread. The file behind them is compiled once per
 * instruction set, and `loops()` picks what this processor has.
 *
 * A stride of 0 repeats one number, 1 walks.
 */
struct Loops {
  void (*unary)(Unary op, const float* x, float* y, size_t n, float p, float q);
  void (*binary)(Binary op, const float* a, int sa, const float* b, int sb, float* y, size_t n);
  void (*compare)(Compare op, const float* a, int sa, const float* b, int sb, uint8_t* y, size_t n);
  float (*reduce)(Reduce op, const float* x, size_t n);
  /** acc[i] = acc[i] op x[i]. */
  void (*accumulate)(Reduce op, float* acc, const float* x, size_t n);
  void (*toF32)(const uint16_t* x, float* y, size_t n);
  /** To the nearest, ties to even; NaN stays one. */
  void (*toBf16)(const float* x, uint16_t* y, size_t n);
  /** y = dy·gelu'(x). */
  void (*geluGrad)(const float* dy, const float* x, float* y, size_t n);
  /** gelu and its gradient in bf16, within bf16's own rounding. */
  void (*geluNarrow)(const uint16_t* x, uint16_t* y, size_t n);
  void (*geluGradNarrow)(const uint16_t* dy, const uint16_t* x, uint16_t* y, size_t n);
  /** y = softmax(scale·x); returns log Σ e^(scale·x). */
  float (*softmax)(const float* x, float scale, float* y, size_t n);
  /** y = e^(scale·x − logSum): the softmax again. */
  void (*softmaxAgain)(const float* x, float scale, float logSum, float* y, size_t n);
  void (*logSoftmax)(const float* x, float* y, size_t n);
  /** y = scale·p·(dp − Σ p·dp). */
  void (*softmaxGrad)(const float* p, const float* dp, float scale, float* y, size_t n);
  /** Adds Σp·t, Σp and Σt of n pixels to sums [3, classes]; room for (classes + 2)·n numbers. */
  void (*overlap)(const float* logits, const int32_t* masks, size_t n, size_t classes, double* sums, float* room);
  /** p∘(g − Σ p∘g) with g = t·dy₀ + dy₁; room as above. */
  void (*overlapGrad)(const float* dy, const float* logits, const int32_t* masks, size_t n, size_t classes, float* dx,
                      float* room);
  /** Σ −log softmax(logits)[mask] of n pixels; one with a mask that is no class adds nothing. Room as above. */
  double (*crossEntropy)(const float* logits, const int32_t* masks, size_t n, size_t classes, float* room);
  /** (softmax(logits) − t)·factor, 0 for an ignored pixel; room as above. */
  void (*crossEntropyGrad)(float factor, const float* logits, const int32_t* masks, size_t n, size_t classes,
                           float* dx, float* room);
  void (*layerNorm)(const float* x, const float* gain, const float* bias, float epsilon, float* y, float* mean,
                    float* scale, size_t n);
  void (*layerNormGrad)(const float* dy, const float* x, const float* gain, float mean, float scale, float* dx,
                        size_t n);
  void (*adam)(const float* g, const float* m, const float* v, float* update, float* m2, float* v2, AdamStep step,
               size_t n);
};

const Loops& loops();
/** Which instruction set `loops()` uses. */
const char* loopsIsa();

}  // namespace millrace
