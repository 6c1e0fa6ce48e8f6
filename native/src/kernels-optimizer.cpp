#include <cmath>

#include "rows.h"

namespace millrace {
namespace {

/** ins: gradient, m, v; outs: update, m′, v′; floats: beta1, beta2, epsilon, step from 1. */
void adamUpdate(Call& c) {
  size_t n = c.in(0).count;
  const float *g = c.f32(0, n), *m = c.f32(1, n), *v = c.f32(2, n);
  float *update = c.outF32(0, n), *m2 = c.outF32(1, n), *v2 = c.outF32(2, n);
  double beta1 = c.number(0), beta2 = c.number(1), step = c.number(3);
  AdamStep s = {float(beta1), float(beta2), float(c.number(2)), float(1 / (1 - std::pow(beta1, step))),
                float(1 / std::sqrt(1 - std::pow(beta2, step)))};
  inChunks(n, [&](size_t at, size_t k) {
    loops().adam(g + at, m + at, v + at, update + at, m2 + at, v2 + at, s, k);
  });
}

KERNEL("AdamUpdate", adamUpdate);

}  // namespace
}  // namespace millrace
