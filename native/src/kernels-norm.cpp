#include "rows.h"

namespace millrace {
namespace {

/** ins: x, gain, bias; outs: y, mean, 1/deviation; ints: rows, n; floats: epsilon. */
void layerNorm(Call& c) {
  size_t rows = c.size(0), n = c.size(1), count = product({rows, n});
  Slot& x = c.in(0, count);
  const float *gain = c.f32(1, n), *bias = c.f32(2, n);
  float epsilon = float(c.number(0));
  float *mean = c.outF32(1, rows), *scale = c.outF32(2, rows);
  Slot& y = c.out(0, c.engine->bf16 ? Type::bf16 : Type::f32, count);
  parallelFor(rows, worthSplitting(n), [&](size_t b, size_t e) {
    RowBuffer in(n), out(n);
    for (size_t i = b; i < e; i++) {
      float* to = target(y, i * n, out.data());
      loops().layerNorm(load(x, i * n, n, in.data()), gain, bias, epsilon, to, mean + i, scale + i, n);
      store(y, i * n, n, to);
    }
  });
}

/** ins: dy, x, gain, mean, scale, or also what is added to dx; ints: rows, n. In f32, as the residual stream is. */
void layerNormGrad(Call& c) {
  size_t rows = c.size(0), n = c.size(1), count = product({rows, n});
  Slot &dy = c.in(0, count), &x = c.in(1, count);
  const float *gain = c.f32(2, n), *mean = c.f32(3, rows), *scale = c.f32(4, rows);
  const Slot* passed = c.has(5) ? &c.in(5, count) : nullptr;
  float* dx = c.outF32(0, count);
  parallelFor(rows, worthSplitting(n), [&](size_t b, size_t e) {
    RowBuffer first(n), second(n);
    for (size_t i = b; i < e; i++) {
      float* row = dx + i * n;
      loops().layerNormGrad(load(dy, i * n, n, first.data()), load(x, i * n, n, second.data()), gain, mean[i],
                            scale[i], row, n);
      if (passed) loops().accumulate(Reduce::sum, row, load(*passed, i * n, n, first.data()), n);
    }
  });
}

KERNEL("LayerNorm", layerNorm);
KERNEL("LayerNormGrad", layerNormGrad);

}  // namespace
}  // namespace millrace
