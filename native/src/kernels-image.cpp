#include <cstring>

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

struct PatchSizes : Arguments {
  NUMBERS(batch, height, width, channels);
};

/** x [batch, h, w, channels] to its 3×3 neighbourhoods [batch, h, w, 9·channels], zero beyond the border. */
struct Patches : PatchSizes {
  INPUTS(x);
  RESULTS(y);
  static void run(Call& c);
};

void Patches::run(Call& c) {
  size_t batch = c.size(Num::batch), h = c.size(Num::height), w = c.size(Num::width), ch = c.size(Num::channels);
  size_t count = product({batch, h, w, ch});
  Slot& x = c.in(In::x, count);
  if (!isFloat(x.type)) throw std::runtime_error("expected a float tensor");
  Slot& y = c.out(Out::y, c.engine->bf16 ? Type::bf16 : Type::f32, product({count, 9}));
  if (count == 0) return;
  size_t size = sizeOf(y.type);
  parallelFor(batch * h * w, worthSplitting(9 * ch), [&](size_t b, size_t e) {
    for (size_t u = b; u < e; u++) {
      size_t column = u % w, row = u / w % h;
      char* out = y.bytes() + u * 9 * ch * size;
      for (int k = 0; k < 9; k++, out += ch * size) {
        int64_t i = int64_t(row) + k / 3 - 1, j = int64_t(column) + k % 3 - 1;
        if (i < 0 || j < 0 || i >= int64_t(h) || j >= int64_t(w)) {
          std::memset(out, 0, ch * size);
          continue;
        }
        size_t from = ((u / (h * w) * h + size_t(i)) * w + size_t(j)) * ch;
        if (x.type == y.type)
          std::memcpy(out, x.bytes() + from * size, ch * size);
        else if (y.type == Type::bf16)
          loops().toBf16(x.data<float>() + from, reinterpret_cast<uint16_t*>(out), ch);
        else
          loops().toF32(x.data<uint16_t>() + from, reinterpret_cast<float*>(out), ch);
      }
    }
  });
}

/** The transpose of `Patches`: each pixel gathers its share of nine neighbourhoods. */
struct PatchesGrad : PatchSizes {
  INPUTS(dy);
  RESULTS(dx);
  static void run(Call& c);
};

void PatchesGrad::run(Call& c) {
  size_t batch = c.size(Num::batch), h = c.size(Num::height), w = c.size(Num::width), ch = c.size(Num::channels);
  size_t count = product({batch, h, w, ch});
  Slot& dy = c.in(In::dy, product({count, 9}));
  float* dx = c.outF32(Out::dx, count);
  if (count == 0) return;
  parallelFor(batch * h * w, worthSplitting(9 * ch), [&](size_t b, size_t e) {
    RowBuffer buffer(ch);
    for (size_t u = b; u < e; u++) {
      size_t column = u % w, row = u / w % h;
      float* sum = dx + u * ch;
      std::fill(sum, sum + ch, 0.f);
      for (int k = 0; k < 9; k++) {
        int64_t i = int64_t(row) - (k / 3 - 1), j = int64_t(column) - (k % 3 - 1);
        if (i < 0 || j < 0 || i >= int64_t(h) || j >= int64_t(w)) continue;
        size_t from = (((u / (h * w) * h + size_t(i)) * w + size_t(j)) * 9 + size_t(k)) * ch;
        loops().accumulate(Reduce::Sum, sum, load(dy, from, ch, buffer.data()), ch);
      }
    }
  });
}

KERNEL("Upsample", Upsample);
KERNEL("UpsampleGrad", UpsampleGrad);
KERNEL("Patches", Patches);
KERNEL("PatchesGrad", PatchesGrad);

}  // namespace
}  // namespace millrace
