#include "rows.h"

namespace millrace {
namespace {

/** `scale` is 1/deviation. */
struct LayerNorm : Arguments {
  INPUTS(x, gain, bias);
  RESULTS(y, mean, scale);
  NUMBERS(rows, width, epsilon);
  static void run(Call& c);
};

void LayerNorm::run(Call& c) {
  size_t rows = c.size(Num::rows), n = c.size(Num::width), count = product({rows, n});
  Slot& x = c.in(In::x, count);
  const float *gain = c.f32(In::gain, n), *bias = c.f32(In::bias, n);
  float epsilon = float(c.number(Num::epsilon));
  float *mean = c.outF32(Out::mean, rows), *scale = c.outF32(Out::scale, rows);
  Slot& y = c.out(Out::y, c.engine->bf16 ? Type::bf16 : Type::f32, count);
  parallelFor(rows, worthSplitting(n), [&](size_t b, size_t e) {
    RowBuffer in(n), out(n);
    for (size_t i = b; i < e; i++) {
      float* to = target(y, i * n, out.data());
      loops().layerNorm(load(x, i * n, n, in.data()), gain, bias, epsilon, to, mean + i, scale + i, n);
      store(y, i * n, n, to);
    }
  });
}

/** dx in f32, as the residual stream is; `passed` may be left out, and is added to it. */
struct LayerNormGrad : Arguments {
  INPUTS(dy, x, gain, mean, scale, passed);
  RESULTS(dx);
  NUMBERS(rows, width);
  static void run(Call& c);
};

void LayerNormGrad::run(Call& c) {
  size_t rows = c.size(Num::rows), n = c.size(Num::width), count = product({rows, n});
  Slot &dy = c.in(In::dy, count), &x = c.in(In::x, count);
  const float *gain = c.f32(In::gain, n), *mean = c.f32(In::mean, rows), *scale = c.f32(In::scale, rows);
  const Slot* passed = c.has(In::passed) ? &c.in(In::passed, count) : nullptr;
  float* dx = c.outF32(Out::dx, count);
  parallelFor(rows, worthSplitting(n), [&](size_t b, size_t e) {
    RowBuffer first(n), second(n);
    for (size_t i = b; i < e; i++) {
      float* row = dx + i * n;
      loops().layerNormGrad(load(dy, i * n, n, first.data()), load(x, i * n, n, second.data()), gain, mean[i],
                            scale[i], row, n);
      if (passed) loops().accumulate(Reduce::Sum, row, load(*passed, i * n, n, first.data()), n);
    }
  });
}

KERNEL("LayerNorm", LayerNorm);
KERNEL("LayerNormGrad", LayerNormGrad);

}  // namespace
}  // namespace millrace
