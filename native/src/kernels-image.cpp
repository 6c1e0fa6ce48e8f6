#include "rows.h"

namespace millrace {
namespace {

/** Output i of a bilinear enlargement lies between inputs `low` and `high`, `share` of the way to `high`. */
struct Tap {
  size_t low, high;
  float share;
};

std::vector<Tap> taps(size_t n, size_t factor) {
  std::vector<Tap> all(n * factor);
  for (size_t i = 0; i < all.size(); i++) {
    double at = std::max(0.0, (double(i) + 0.5) / double(factor) - 0.5);
    size_t low = std::min(n - 1, size_t(at));
    all[i] = {low, std::min(n - 1, low + 1), float(at - double(low))};
  }
  return all;
}

/** height and width are of the smaller image. */
struct UpsampleSizes : Arguments {
  NUMBERS(batch, height, width, channels, factor);
};

struct Upsample : UpsampleSizes {
  INPUTS(x);
  RESULTS(y);
  static void run(Call& c);
};

void Upsample::run(Call& c) {
  size_t batch = c.size(Num::batch), h = c.size(Num::height), w = c.size(Num::width), ch = c.size(Num::channels);
  size_t factor = c.divisor(Num::factor);
  size_t H = product({h, factor}), W = product({w, factor}), count = product({batch, H, W, ch});
  const float* x = c.f32(In::x, product({batch, h, w, ch}));
  float* y = c.outF32(Out::y, count);
  if (count == 0) return;
  auto down = taps(h, factor), across = taps(w, factor);
  parallelFor(batch * H, worthSplitting(W * ch), [&](size_t b, size_t e) {
    std::vector<float> row(w * ch);
    for (size_t u = b; u < e; u++) {
      Tap v = down[u % H];
      const float *top = x + (u / H * h + v.low) * w * ch, *bottom = x + (u / H * h + v.high) * w * ch;
      for (size_t i = 0; i < w * ch; i++) row[i] = top[i] * (1 - v.share) + bottom[i] * v.share;
      float* out = y + u * W * ch;
      for (size_t j = 0; j < W; j++) {
        Tap t = across[j];
        for (size_t k = 0; k < ch; k++)
          out[j * ch + k] = row[t.low * ch + k] * (1 - t.share) + row[t.high * ch + k] * t.share;
      }
    }
  });
}

/** The transpose of `Upsample`: dy [batch, H, W, channels] to [batch, h, w, channels]. */
struct UpsampleGrad : UpsampleSizes {
  INPUTS(dy);
  RESULTS(dx);
  static void run(Call& c);
};

void UpsampleGrad::run(Call& c) {
  size_t batch = c.size(Num::batch), h = c.size(Num::height), w = c.size(Num::width), ch = c.size(Num::channels);
  size_t factor = c.divisor(Num::factor);
  size_t H = product({h, factor}), W = product({w, factor}), count = product({batch, h, w, ch});
  const float* dy = c.f32(In::dy, product({batch, H, W, ch}));
  float* dx = c.outF32(Out::dx, count);
  if (count == 0) return;
  auto down = taps(h, factor), across = taps(w, factor);
  // Rows first, each into its own narrow row; then the narrow rows into dx.
  float* narrow = c.temp<float>(batch * H * w * ch);
  parallelFor(batch * H, worthSplitting(W * ch), [&](size_t b, size_t e) {
    for (size_t u = b; u < e; u++) {
      const float* in = dy + u * W * ch;
      float* row = narrow + u * w * ch;
      std::fill(row, row + w * ch, 0.f);
      for (size_t j = 0; j < W; j++) {
        Tap t = across[j];
        for (size_t k = 0; k < ch; k++) {
          row[t.low * ch + k] += in[j * ch + k] * (1 - t.share);
          row[t.high * ch + k] += in[j * ch + k] * t.share;
        }
      }
    }
  });
  parallelFor(batch, 1, [&](size_t b, size_t e) {
    for (size_t image = b; image < e; image++) {
      float* out = dx + image * h * w * ch;
      std::fill(out, out + h * w * ch, 0.f);
      for (size_t i = 0; i < H; i++) {
        const float* row = narrow + (image * H + i) * w * ch;
        float *top = out + down[i].low * w * ch, *bottom = out + down[i].high * w * ch, share = down[i].share;
        for (size_t k = 0; k < w * ch; k++) {
          top[k] += row[k] * (1 - share);
          bottom[k] += row[k] * share;
        }
      }
    }
  });
}

KERNEL("Upsample", Upsample);
KERNEL("UpsampleGrad", UpsampleGrad);

}  // namespace
}  // namespace millrace
