#include <cmath>

#include "rows.h"

namespace millrace {
namespace {

constexpr size_t kPixels = 4096;
// Pixels that are treated at a time: their probabilities stay in the first-level cache.
constexpr size_t kAtOnce = 512;

size_t blocksOf(size_t pixels) { return (pixels + kPixels - 1) / kPixels; }

/**
 * Calls work(block, first, count, room) for `kAtOnce` pixels at a time with room for (classes + 2)·count numbers, on all threads.
 * The blocks of `kPixels`, each of which one thread walks through in order, do not depend on the number of threads.
 */
template <typename Work>
void inBlocks(size_t pixels, size_t classes, Work work) {
  parallelFor(blocksOf(pixels), 1, [&](size_t b, size_t e) {
    std::unique_ptr<float[]> room(new float[(classes + 2) * kAtOnce]);
    for (size_t block = b; block < e; block++) {
      size_t last = std::min(pixels, (block + 1) * kPixels);
      for (size_t i = block * kPixels; i < last; i += kAtOnce) work(block, i, std::min(kAtOnce, last - i), room.get());
    }
  });
}

/** logits are [pixels, classes]; sums are Σp·t, Σp, Σt by class. */
struct Overlap : Arguments {
  INPUTS(logits, masks);
  RESULTS(sums);
  NUMBERS(classes);
  static void run(Call& c);
};

void Overlap::run(Call& c) {
  size_t classes = c.divisor(Num::classes), pixels = c.in(In::masks).count;
  const float* logits = c.f32(In::logits, product({pixels, classes}));
  const int32_t* masks = c.i32(In::masks, pixels);
  size_t partials = product({std::max<size_t>(1, blocksOf(pixels)), 3, classes});
  double* partial = c.temp<double>(partials);
  std::fill_n(partial, partials, 0.0);
  inBlocks(pixels, classes, [&](size_t block, size_t i, size_t n, float* room) {
    loops().overlap(logits + i * classes, masks + i, n, classes, partial + block * 3 * classes, room);
  });
  float* y = c.outF32(Out::sums, product({3, classes}));
  for (size_t k = 0; k < 3 * classes; k++) {
    double total = 0;
    for (size_t block = 0; block < blocksOf(pixels); block++) total += partial[block * 3 * classes + k];
    y[k] = float(total);
  }
}

/** Of a loss of logits and masks. */
struct LossGrad : Arguments {
  INPUTS(dy, logits, masks);
  RESULTS(dx);
  NUMBERS(classes);
};

/** p∘(g − Σ p∘g) with g = t·dy₀ + dy₁, dy [3, classes]. */
struct OverlapGrad : LossGrad {
  static void run(Call& c);
};

void OverlapGrad::run(Call& c) {
  size_t classes = c.divisor(Num::classes), pixels = c.in(In::masks).count, count = product({pixels, classes});
  const float *dy = c.f32(In::dy, product({3, classes})), *logits = c.f32(In::logits, count);
  const int32_t* masks = c.i32(In::masks, pixels);
  float* dx = c.outF32(Out::dx, count);
  inBlocks(pixels, classes, [&](size_t, size_t i, size_t n, float* room) {
    loops().overlapGrad(dy, logits + i * classes, masks + i, n, classes, dx + i * classes, room);
  });
}

size_t counted(const int32_t* masks, size_t pixels) {
  size_t n = 0;
  for (size_t i = 0; i < pixels; i++) n += masks[i] != kIgnoredPixel;
  return n;
}

/** −Σ log p of the right class / counted pixels. */
struct CrossEntropy : Arguments {
  INPUTS(logits, masks);
  RESULTS(loss);
  NUMBERS(classes);
  static void run(Call& c);
};

void CrossEntropy::run(Call& c) {
  size_t classes = c.divisor(Num::classes), pixels = c.in(In::masks).count;
  const float* logits = c.f32(In::logits, product({pixels, classes}));
  const int32_t* masks = c.i32(In::masks, pixels);
  size_t partials = std::max<size_t>(1, blocksOf(pixels));
  double* partial = c.temp<double>(partials);
  std::fill_n(partial, partials, 0.0);
  inBlocks(pixels, classes, [&](size_t block, size_t i, size_t n, float* room) {
    partial[block] += loops().crossEntropy(logits + i * classes, masks + i, n, classes, room);
  });
  double total = 0;
  for (size_t block = 0; block < blocksOf(pixels); block++) total += partial[block];
  *c.outF32(Out::loss, 1) = float(total / double(std::max<size_t>(1, counted(masks, pixels))));
}

/** (p − t)·dy/n. */
struct CrossEntropyGrad : LossGrad {
  static void run(Call& c);
};

void CrossEntropyGrad::run(Call& c) {
  size_t classes = c.divisor(Num::classes), pixels = c.in(In::masks).count, count = product({pixels, classes});
  const float* logits = c.f32(In::logits, count);
  const int32_t* masks = c.i32(In::masks, pixels);
  float factor = *c.f32(In::dy, 1) / float(std::max<size_t>(1, counted(masks, pixels)));
  float* dx = c.outF32(Out::dx, count);
  inBlocks(pixels, classes, [&](size_t, size_t i, size_t n, float* room) {
    loops().crossEntropyGrad(factor, logits + i * classes, masks + i, n, classes, dx + i * classes, room);
  });
}

KERNEL("Overlap", Overlap);
KERNEL("OverlapGrad", OverlapGrad);
KERNEL("CrossEntropy", CrossEntropy);
KERNEL("CrossEntropyGrad", CrossEntropyGrad);

}  // namespace
}  // namespace millrace
