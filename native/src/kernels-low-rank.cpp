#include "gemm.h"
#include "rows.h"

namespace millrace {
namespace {

Type productType(Call& c) { return c.engine->bf16 ? Type::bf16 : Type::f32; }

void* offset(void* data, Type type, int64_t count) { return static_cast<char*>(data) + size_t(count) * sizeOf(type); }

/**
 * A low-rank change of a weight in K × K blocks, each of rank r: K = 1 is LoRA. A [K, in/K, K·r] holds for input
 * chunk j the factors of all outputs i side by side, B [K, K·r, out/K] for output chunk i those of all inputs j.
 *
 * What lies between the factors is kept as [K, rows, K·r]: by outputs i, as B wants it, or by inputs j, as A does.
 */
struct LowRank {
  int64_t rows, in, out, blocks, width;
  float scale;
  Type type;

  int64_t count() const { return blocks * rows * width; }
  int64_t chunkIn() const { return in / blocks; }
  int64_t chunkOut() const { return out / blocks; }

  /** y = scale·x in the type of products. */
  void scaled(const float* x, void* y) const {
    inChunks(size_t(count()), [&](size_t at, size_t n) {
      float buffer[kChunk];
      float* to = type == Type::f32 ? static_cast<float*>(y) + at : buffer;
      loops().binary(Binary::mul, x + at, 1, &scale, 0, to, n);
      if (type == Type::bf16) loops().toBf16(buffer, static_cast<uint16_t*>(y) + at, n);
    });
  }

  /** [a, rows, b, r] as [b, rows, a, r], a = b = K: from "by inputs" to "by outputs" and back. */
  template <typename T>
  void swapped(const T* x, T* y) const {
    int64_t r = width / blocks;
    parallelFor(size_t(rows), std::max<size_t>(1, kWorthSplitting / size_t(blocks * width)), [&](size_t b, size_t e) {
      for (int64_t a = 0; a < blocks; a++)
        for (int64_t t = int64_t(b); t < int64_t(e); t++)
          for (int64_t k = 0; k < blocks; k++)
            std::copy_n(x + (a * rows + t) * width + k * r, r, y + (k * rows + t) * width + a * r);
    });
  }

  template <typename Work>
  void eachBlock(Work work) const {
    for (int64_t block = 0; block < blocks; block++) work(block);
  }

  /** scale·x·A, by outputs. */
  void down(Call& c, void* x, size_t a, void* low) const {
    float* raw = c.temp<float>(size_t(count()));
    void* factor = as(c, a, type);
    Gemm g;
    g.m = rows, g.k = chunkIn(), g.n = width;
    eachBlock([&](int64_t j) {
      g.a = {offset(x, type, j * chunkIn()), type, {in, 1}};
      g.b = {offset(factor, type, j * chunkIn() * width), type, {width, 1}};
      g.c = {raw + j * rows * width, Type::f32, {width, 1}};
      gemm(c, g);
    });
    if (blocks == 1) return scaled(raw, low);
    float* turned = c.temp<float>(size_t(count()));
    swapped(raw, turned);
    scaled(turned, low);
  }

  /** low·B [rows, out]. */
  void up(Call& c, void* low, size_t b, void* y) const {
    void* factor = as(c, b, type);
    Gemm g;
    g.m = rows, g.k = width, g.n = chunkOut();
    eachBlock([&](int64_t i) {
      g.a = {offset(low, type, i * rows * width), type, {width, 1}};
      g.b = {offset(factor, type, i * width * chunkOut()), type, {chunkOut(), 1}};
      g.c = {offset(y, type, i * chunkOut()), type, {out, 1}};
      gemm(c, g);
    });
  }

  /** The transpose of `up`, times the scale: scale·dy·Bᵀ, by outputs. */
  void downGrad(Call& c, void* dy, size_t b, void* dLow) const {
    float* raw = c.temp<float>(size_t(count()));
    void* factor = as(c, b, type);
    Gemm g;
    g.m = rows, g.k = chunkOut(), g.n = width;
    eachBlock([&](int64_t i) {
      g.a = {offset(dy, type, i * chunkOut()), type, {out, 1}};
      g.b = {offset(factor, type, i * width * chunkOut()), type, {1, chunkOut()}};
      g.c = {raw + i * rows * width, Type::f32, {width, 1}};
      gemm(c, g);
    });
    scaled(raw, dLow);
  }

  void* byInputs(Call& c, void* low) const {
    if (blocks == 1) return low;
    void* turned = c.temp<char>(size_t(count()) * sizeOf(type));
    if (type == Type::f32)
      swapped(static_cast<float*>(low), static_cast<float*>(turned));
    else
      swapped(static_cast<uint16_t*>(low), static_cast<uint16_t*>(turned));
    return turned;
  }

  /** dx (+)= dLow·Aᵀ, in f32. */
  void inputGrad(Call& c, void* dLow, size_t a, float* dx, bool accumulate) const {
    void *turned = byInputs(c, dLow), *factor = as(c, a, type);
    Gemm g;
    g.m = rows, g.k = width, g.n = chunkIn(), g.accumulate = accumulate;
    eachBlock([&](int64_t j) {
      g.a = {offset(turned, type, j * rows * width), type, {width, 1}};
      g.b = {offset(factor, type, j * chunkIn() * width), type, {1, width}};
      g.c = {dx + j * chunkIn(), Type::f32, {in, 1}};
      gemm(c, g);
    });
  }
};

/** Map i of several, as the kernels are told of them: ints rows, in, maps, then of each map out, blocks, width. */
LowRank changeOf(Call& c, size_t i, float scale) {
  const int64_t* ints = &c.ints[3 + 3 * i];
  return {c.ints[0], c.ints[1], ints[0], ints[1], ints[2], scale, productType(c)};
}

/**
 * y = x·W + b (+ residual) (+ scale·(x·A)·B), for several maps of the same x.
 *
 * ins: x, residual, then of each map weight, bias, A, B. ints: see `changeOf`; a width of 0 is no change. floats: the
 * scales. outs: all scale·x·A, one behind the other; then the results.
 */
void linears(Call& c) {
  size_t maps = size_t(c.ints[2]);
  Type type = productType(c);
  void* x = as(c, 0, type);
  int64_t total = 0;
  for (size_t i = 0; i < maps; i++) total += changeOf(c, i, 1).count();
  void* low = c.out(0, type, size_t(total)).buffer->data;
  for (size_t i = 0; i < maps; i++) {
    size_t at = 2 + 4 * i;
    LowRank change = changeOf(c, i, float(c.floats[i]));
    Gemm g;
    g.m = change.rows, g.k = change.in, g.n = change.out;
    g.a = {x, type, {change.in, 1}};
    g.b = {nullptr, type, {change.out, 1}};
    g.weight = &c.in(at);
    if (c.has(at + 1)) g.bias = c.f32(at + 1);
    if (change.width > 0) {
      void* moved = c.temp<char>(size_t(change.rows * change.out) * sizeOf(type));
      change.down(c, x, at + 2, low);
      change.up(c, low, at + 3, moved);
      g.added.push_back({moved, type, {change.out, 1}});
      low = offset(low, type, change.count());
    }
    if (c.has(1)) g.added.push_back({const_cast<float*>(c.f32(1)), Type::f32, {change.out, 1}});
    // What is added to the residual stream stays in f32.
    Type result = c.has(1) ? Type::f32 : type;
    g.c = {c.out(1 + i, result, size_t(change.rows * change.out)).buffer->data, result, {change.out, 1}};
    gemm(c, g);
  }
}

/**
 * dx = Σ dy·Wᵀ + dLow·Aᵀ. ins: of each map dy, weight, dLow, A; ints: see `changeOf`.
 *
 * A sum is kept in f32 until it is whole; a single product is stored as products are.
 */
void linearsGradInput(Call& c) {
  size_t maps = size_t(c.ints[2]), count = size_t(c.ints[0] * c.ints[1]);
  Type type = productType(c);
  float* sum = nullptr;
  for (size_t i = 0; i < maps; i++) {
    LowRank change = changeOf(c, i, 1);
    if (change.width == 0) continue;
    bool first = !sum;
    if (first) sum = c.temp<float>(count);
    change.inputGrad(c, as(c, 4 * i + 2, type), 4 * i + 3, sum, !first);
  }
  for (size_t i = 0; i < maps; i++) {
    LowRank change = changeOf(c, i, 1);
    Gemm g;
    g.m = change.rows, g.k = change.out, g.n = change.in;
    g.a = {as(c, 4 * i, type), type, {change.out, 1}};
    g.b = {nullptr, type, {1, change.out}};
    g.weight = &c.in(4 * i + 1);
    if (sum) g.added.push_back({sum, Type::f32, {change.in, 1}});
    Type result = maps == 1 && !sum ? type : Type::f32;
    sum = i + 1 < maps ? c.temp<float>(count) : nullptr;
    g.c = {sum ? sum : c.out(0, result, count).buffer->data, result, {change.in, 1}};
    gemm(c, g);
  }
}

/** ints: rows, in, out, blocks, width. */
LowRank only(Call& c) { return {c.ints[0], c.ints[1], c.ints[2], c.ints[3], c.ints[4], 1, productType(c)}; }

/** ins: dy, B; floats: scale. */
void lowRankGrad(Call& c) {
  LowRank change = only(c);
  change.scale = float(c.floats[0]);
  void* dy = as(c, 0, change.type);
  change.downGrad(c, dy, 1, c.out(0, change.type, size_t(change.count())).buffer->data);
}

/** dA = xᵀ·dLow. ins: x, dLow. */
void lowRankGradA(Call& c) {
  LowRank change = only(c);
  void *x = as(c, 0, change.type), *dLow = change.byInputs(c, as(c, 1, change.type));
  float* result = c.outF32(0, size_t(change.in * change.width));
  Gemm g;
  g.m = change.chunkIn(), g.k = change.rows, g.n = change.width;
  change.eachBlock([&](int64_t j) {
    g.a = {offset(x, change.type, j * change.chunkIn()), change.type, {1, change.in}};
    g.b = {offset(dLow, change.type, j * change.rows * change.width), change.type, {change.width, 1}};
    g.c = {result + j * change.chunkIn() * change.width, Type::f32, {change.width, 1}};
    gemm(c, g);
  });
}

/** dB = lowᵀ·dy. ins: all low of `linears`, dy; a last int: where this map's low begins. */
void lowRankGradB(Call& c) {
  LowRank change = only(c);
  void *low = offset(as(c, 0, change.type), change.type, c.ints[5]), *dy = as(c, 1, change.type);
  float* result = c.outF32(0, size_t(change.out * change.width));
  Gemm g;
  g.m = change.width, g.k = change.rows, g.n = change.chunkOut();
  change.eachBlock([&](int64_t i) {
    g.a = {offset(low, change.type, i * change.rows * change.width), change.type, {1, change.width}};
    g.b = {offset(dy, change.type, i * change.chunkOut()), change.type, {change.out, 1}};
    g.c = {result + i * change.width * change.chunkOut(), Type::f32, {change.chunkOut(), 1}};
    gemm(c, g);
  });
}

KERNEL("Linears", linears);
KERNEL("LinearsGradInput", linearsGradInput);
KERNEL("LowRankGrad", lowRankGrad);
KERNEL("LowRankGradA", lowRankGradA);
KERNEL("LowRankGradB", lowRankGradB);

}  // namespace
}  // namespace millrace
