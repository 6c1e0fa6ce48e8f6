#include <cmath>

#include "rows.h"

namespace millrace {
namespace {

constexpr size_t kPixels = 4096;
// Pixels that are treated at a time: their probabilities stay in the first-level cache.
constexpr size_t kAtOnce = 512;

/** Calls work(block, first, last) for blocks of pixels, on all threads; the blocks do not depend on their number. */
template <typename Work>
void inBlocks(size_t pixels, Work work) {
  parallelFor((pixels + kPixels - 1) / kPixels, 1, [&](size_t b, size_t e) {
    for (size_t i = b; i < e; i++) work(i, i * kPixels, std::min(pixels, (i + 1) * kPixels));
  });
}

size_t blocksOf(size_t pixels) { return (pixels + kPixels - 1) / kPixels; }

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
  double* partial = c.temp<double>(product({std::max<size_t>(1, blocksOf(pixels)), 3, classes}));
  inBlocks(pixels, [&](size_t block, size_t b, size_t e) {
    double* sums = partial + block * 3 * classes;
    std::fill(sums, sums + 3 * classes, 0.0);
    std::unique_ptr<float[]> room(new float[(classes + 2) * kAtOnce]);
    for (size_t i = b; i < e; i += kAtOnce)
      loops().overlap(logits + i * classes, masks + i, std::min(kAtOnce, e - i), classes, sums, room.get());
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
  inBlocks(pixels, [&](size_t, size_t b, size_t e) {
    std::unique_ptr<float[]> room(new float[(classes + 2) * kAtOnce]);
    for (size_t i = b; i < e; i += kAtOnce)
      loops().overlapGrad(dy, logits + i * classes, masks + i, std::min(kAtOnce, e - i), classes, dx + i * classes,
                          room.get());
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
  double* partial = c.temp<double>(std::max<size_t>(1, blocksOf(pixels)));
  inBlocks(pixels, [&](size_t block, size_t b, size_t e) {
    RowBuffer logP(classes);
    double sum = 0;
    for (size_t i = b; i < e; i++) {
      if (masks[i] == kIgnoredPixel || masks[i] < 0 || size_t(masks[i]) >= classes) continue;
      loops().logSoftmax(logits + i * classes, logP.data(), classes);
      sum -= logP.data()[masks[i]];
    }
    partial[block] = sum;
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
  inBlocks(pixels, [&](size_t, size_t b, size_t e) {
    for (size_t i = b; i < e; i++) {
      float* row = dx + i * classes;
      if (masks[i] == kIgnoredPixel) {
        std::fill(row, row + classes, 0.f);
        continue;
      }
      loops().softmax(logits + i * classes, 1, row, classes);
      if (masks[i] >= 0 && size_t(masks[i]) < classes) row[masks[i]] -= 1;
      for (size_t k = 0; k < classes; k++) row[k] *= factor;
    }
  });
}

KERNEL("Overlap", Overlap);
KERNEL("OverlapGrad", OverlapGrad);
KERNEL("CrossEntropy", CrossEntropy);
KERNEL("CrossEntropyGrad", CrossEntropyGrad);

}  // namespace
}  // namespace millrace
