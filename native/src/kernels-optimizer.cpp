#include <cmath>

#include "rows.h"

namespace millrace {
namespace {

/** The results `m` and `v` are the new moments; `step` counts from 1. */
struct AdamUpdate : Arguments {
  INPUTS(gradient, m, v);
  RESULTS(update, m, v);
  NUMBERS(beta1, beta2, epsilon, step);
  static void run(Call& c);
};

void AdamUpdate::run(Call& c) {
  size_t n = c.in(In::gradient).count;
  const float *g = c.f32(In::gradient, n), *m = c.f32(In::m, n), *v = c.f32(In::v, n);
  float *update = c.outF32(Out::update, n), *m2 = c.outF32(Out::m, n), *v2 = c.outF32(Out::v, n);
  double beta1 = c.number(Num::beta1), beta2 = c.number(Num::beta2), step = c.number(Num::step);
  AdamStep s = {float(beta1), float(beta2), float(c.number(Num::epsilon)), float(1 / (1 - std::pow(beta1, step))),
                float(1 / std::sqrt(1 - std::pow(beta2, step)))};
  inChunks(n, [&](size_t at, size_t k) {
    loops().adam(g + at, m + at, v + at, update + at, m2 + at, v2 + at, s, k);
  });
}

KERNEL("AdamUpdate", AdamUpdate);

}  // namespace
}  // namespace millrace
