#include <cstring>

#include "gemm.h"
#include "product-tiles.h"
#include "row-sums.h"
#include "rows.h"

namespace millrace {
namespace {

// Narrower results stay in f32, as those of `Linear`.
constexpr size_t kNarrow = 64;

/** Of a 3×3 convolution with zeros beyond the border; weights are [3, 3, channels, out]. */
struct ConvolutionSizes : Arguments {
  NUMBERS(batch, height, width, channels, out);
};

struct Sizes {
  using Num = ConvolutionSizes::Num;
  size_t batch, height, width, channels, out, pixels, inputs, outputs, weights;
  Type type;

  explicit Sizes(const Call& c)
      : batch(c.size(Num::batch)), height(c.size(Num::height)), width(c.size(Num::width)),
        channels(c.size(Num::channels)), out(c.size(Num::out)), pixels(product({batch, height, width})),
        inputs(product({pixels, channels})), outputs(product({pixels, out})), weights(product({9, channels, out})),
        type(c.engine->bf16 ? Type::bf16 : Type::f32) {
    product({pixels, 9, std::max(channels, out)});
  }
  /** Whether the processor multiplies neighbourhoods where they lie; else they are gathered for oneDNN's products. */
  bool inTiles() const { return type == Type::bf16 && productTiles() && pixels > 0 && channels > 0 && out > 0; }
};

void copy(const Slot& from, size_t at, size_t n, Type type, char* to) {
  if (from.type == type)
    std::memcpy(to, from.bytes() + at * sizeOf(type), n * sizeOf(type));
  else if (type == Type::bf16)
    loops().toBf16(from.data<float>() + at, reinterpret_cast<uint16_t*>(to), n);
  else
    loops().toF32(from.data<uint16_t>() + at, reinterpret_cast<float*>(to), n);
}

/** x [batch, h, w, channels] to its 3×3 neighbourhoods [batch, h, w, 9·channels], zero beyond the border. */
void* gathered(Call& c, const Sizes& s, const Slot& x) {
  size_t size = sizeOf(s.type), ch = s.channels;
  char* y = c.temp<char>(product({s.inputs, 9, size}));
  parallelFor(s.pixels, worthSplitting(9 * ch), [&](size_t b, size_t e) {
    for (size_t u = b; u < e; u++) {
      size_t column = u % s.width, row = u / s.width % s.height;
      char* out = y + u * 9 * ch * size;
      for (int k = 0; k < 9; k++, out += ch * size) {
        int64_t i = int64_t(row) + k / 3 - 1, j = int64_t(column) + k % 3 - 1;
        if (i < 0 || j < 0 || i >= int64_t(s.height) || j >= int64_t(s.width)) {
          std::memset(out, 0, ch * size);
          continue;
        }
        copy(x, ((u / (s.height * s.width) * s.height + size_t(i)) * s.width + size_t(j)) * ch, ch, s.type, out);
      }
    }
  });
  return y;
}

/** The transpose of `gathered`: each pixel sums its share of nine neighbourhoods. */
void scattered(const Sizes& s, const Slot& dy, float* dx) {
  size_t ch = s.channels;
  parallelFor(s.pixels, worthSplitting(9 * ch), [&](size_t b, size_t e) {
    RowBuffer buffer(ch);
    for (size_t u = b; u < e; u++) {
      size_t column = u % s.width, row = u / s.width % s.height;
      float* sum = dx + u * ch;
      std::fill(sum, sum + ch, 0.f);
      for (int k = 0; k < 9; k++) {
        int64_t i = int64_t(row) - (k / 3 - 1), j = int64_t(column) - (k % 3 - 1);
        if (i < 0 || j < 0 || i >= int64_t(s.height) || j >= int64_t(s.width)) continue;
        size_t from = (((u / (s.height * s.width) * s.height + size_t(i)) * s.width + size_t(j)) * 9 + size_t(k)) * ch;
        loops().accumulate(Reduce::Sum, sum, load(dy, from, ch, buffer.data()), ch);
      }
    }
  });
}

/**
 * Images in bf16 in frames of zeros one pixel wide, their channels filled up to whole steps of a product: rows of
 * `channels` numbers, of which those of an image lie one behind the other, and so do neighbours at constant distances.
 */
struct Framed {
  /** The upper left corner of the first frame; there are zeros before it and behind the last one, too. */
  const uint16_t* data;
  size_t channels, pitch, image;

  /** The row that is `down` and `right` of the upper left corner of an image's frame. */
  const uint16_t* at(size_t which, size_t down, size_t right) const {
    return data + (which * image + down * pitch + right) * channels;
  }
};

Framed framed(Call& c, const Sizes& s, const Slot& x, size_t channels) {
  if (!isFloat(x.type)) throw std::runtime_error("expected a float tensor");
  Framed made;
  made.channels = (channels + 31) / 32 * 32, made.pitch = s.width + 2, made.image = (s.height + 2) * made.pitch;
  size_t guard = (made.pitch + 1) * made.channels, line = made.pitch * made.channels;
  size_t lines = product({s.batch, s.height + 2});
  auto* numbers = c.temp<uint16_t>(product({lines, line}) + 2 * guard);
  std::fill_n(numbers, guard, uint16_t(0));
  std::fill_n(numbers + guard + lines * line, guard, uint16_t(0));
  made.data = numbers + guard;
  parallelFor(lines, worthSplitting(line), [&](size_t b, size_t e) {
    for (size_t i = b; i < e; i++) {
      uint16_t* to = numbers + guard + i * line;
      size_t row = i % (s.height + 2), image = i / (s.height + 2);
      bool inside = row > 0 && row <= s.height;
      if (!inside || channels % 32) std::fill_n(to, line, uint16_t(0));
      if (!inside) continue;
      std::fill_n(to, made.channels, uint16_t(0));
      std::fill_n(to + line - made.channels, made.channels, uint16_t(0));
      size_t from = (image * s.height + row - 1) * s.width * channels;
      to += made.channels;
      if (channels % 32 == 0) {
        copy(x, from, s.width * channels, Type::bf16, reinterpret_cast<char*>(to));
        continue;
      }
      for (size_t j = 0; j < s.width; j++)
        copy(x, from + j * channels, channels, Type::bf16, reinterpret_cast<char*>(to + j * made.channels));
    }
  });
  return made;
}

size_t partsOf(size_t n, size_t part) { return (n + part - 1) / part; }

/** y = Σ x, moved by a place of the neighbourhood, times that place's factor, for all pixels. */
void convolve(Call& c, const Sizes& s, const Framed& x, size_t k, size_t n, const Factor (&factors)[9],
              const float* bias, void* y, Type type) {
  const ProductTiles& tiles = *productTiles();
  size_t bytes = tiles.bytes(k, n), across = partsOf(n, tiles.side);
  char* packed = c.temp<char>(product({9, bytes}));
  parallelFor(9, 1, [&](size_t b, size_t e) {
    for (size_t t = b; t < e; t++) tiles.pack(factors[t], k, n, {0, across}, packed + t * bytes);
  });
  TileProduct p = {};
  p.termCount = 9, p.rows = s.height * x.pitch, p.columns = n, p.bias = bias;
  p.pitch = x.pitch, p.kept = s.width;
  // As many rows at a time as leave their neighbourhoods in the second-level cache.
  size_t down = partsOf(p.rows, tiles.side), tall = std::min<size_t>(down, 8), parts = partsOf(down, tall);
  parallelFor(s.batch * parts, 1, [&](size_t b, size_t e) {
    TileProduct own = p;
    Buffer room;
    for (size_t task = b; task < e; task++) {
      size_t image = task / parts, first = task % parts * tall;
      for (size_t t = 0; t < 9; t++)
        own.terms[t] = {{x.at(image, t / 3, t % 3), true, x.channels, 1}, x.channels, packed + t * bytes};
      own.y = {static_cast<char*>(y) + image * s.height * s.width * n * sizeOf(type), type == Type::bf16, n};
      if (!room) room = allocate(tiles.scratch(own, {0, tall}));
      tiles.multiply(own, {first, std::min(first + tall, down)}, {0, across}, room->data);
    }
  });
}

struct Conv3x3 : ConvolutionSizes {
  INPUTS(x, weight, bias);
  RESULTS(y);
  static void run(Call& c);
};

void Conv3x3::run(Call& c) {
  Sizes s(c);
  Slot& x = c.in(In::x, s.inputs);
  if (!isFloat(x.type)) throw std::runtime_error("expected a float tensor");
  const float* bias = c.f32(In::bias, s.out);
  Type result = s.out < kNarrow ? Type::f32 : s.type;
  void* y = c.out(Out::y, result, s.outputs).bytes();
  if (s.inTiles()) {
    const float* weight = c.f32(In::weight, s.weights);
    Factor factors[9];
    for (size_t t = 0; t < 9; t++) factors[t] = {weight + t * s.channels * s.out, false, s.out, 1};
    return convolve(c, s, framed(c, s, x, s.channels), s.channels, s.out, factors, bias, y, result);
  }
  Gemm g;
  g.m = int64_t(s.pixels), g.k = int64_t(9 * s.channels), g.n = int64_t(s.out);
  g.a = {gathered(c, s, x), s.type, {g.k, 1}};
  g.b = {nullptr, s.type, {g.n, 1}};
  g.weight = &c.in(In::weight, s.weights);
  g.bias = bias;
  g.c = {y, result, {g.n, 1}};
  gemm(c, g);
}

/** dx, the convolution of dy with the weights turned round and transposed. */
struct Conv3x3GradInput : ConvolutionSizes {
  INPUTS(dy, weight);
  RESULTS(dx);
  static void run(Call& c);
};

void Conv3x3GradInput::run(Call& c) {
  Sizes s(c);
  Slot& dy = c.in(In::dy, s.outputs);
  float* dx = c.outF32(Out::dx, s.inputs);
  if (s.inTiles()) {
    const float* weight = c.f32(In::weight, s.weights);
    Factor factors[9];
    for (size_t t = 0; t < 9; t++) factors[t] = {weight + (8 - t) * s.channels * s.out, false, 1, s.out};
    return convolve(c, s, framed(c, s, dy, s.out), s.out, s.channels, factors, nullptr, dx, Type::f32);
  }
  Slot neighbours;
  neighbours.type = s.type, neighbours.count = product({s.inputs, 9});
  neighbours.buffer = allocate(product({neighbours.count, sizeOf(s.type)}));
  Gemm g;
  g.m = int64_t(s.pixels), g.k = int64_t(s.out), g.n = int64_t(9 * s.channels);
  g.a = {as(c, In::dy, s.type, s.outputs), s.type, {g.k, 1}};
  g.b = {nullptr, s.type, {1, g.k}};
  g.weight = &c.in(In::weight, s.weights);
  g.c = {neighbours.bytes(), s.type, {g.n, 1}};
  gemm(c, g);
  scattered(s, neighbours, dx);
}

/** dW = Σ xᵀ·dy for each place of the neighbourhood, in f32. */
struct Conv3x3GradWeight : ConvolutionSizes {
  INPUTS(x, dy);
  RESULTS(dWeight);
  static void run(Call& c);
};

void Conv3x3GradWeight::run(Call& c) {
  Sizes s(c);
  Slot &x = c.in(In::x, s.inputs), &dy = c.in(In::dy, s.outputs);
  if (!isFloat(x.type)) throw std::runtime_error("expected a float tensor");
  float* dWeight = c.outF32(Out::dWeight, s.weights);
  if (s.inTiles()) {
    // Pixels of the frames add nothing, as dy is zero there.
    Framed inputs = framed(c, s, x, s.channels), slopes = framed(c, s, dy, s.out);
    std::vector<NarrowRows> moved;
    for (size_t t = 0; t < 9; t++) {
      const uint16_t* place = inputs.at(0, t / 3, t % 3) - (inputs.pitch + 1) * inputs.channels;
      moved.push_back({place, s.channels, inputs.channels});
    }
    sumOverRows(c, moved, {slopes.data, s.out, slopes.channels}, s.batch * inputs.image, dWeight);
    return;
  }
  if (s.pixels == 0) return std::fill_n(dWeight, s.weights, 0.f), void();
  Gemm g;
  g.m = int64_t(9 * s.channels), g.k = int64_t(s.pixels), g.n = int64_t(s.out);
  g.a = {gathered(c, s, x), s.type, {1, g.m}};
  g.b = {as(c, In::dy, s.type, s.outputs), s.type, {g.n, 1}};
  g.c = {dWeight, Type::f32, {g.n, 1}};
  gemm(c, g);
}

KERNEL("Conv3x3", Conv3x3);
KERNEL("Conv3x3GradInput", Conv3x3GradInput);
KERNEL("Conv3x3GradWeight", Conv3x3GradWeight);

}  // namespace
}  // namespace millrace
