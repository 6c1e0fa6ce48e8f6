#include "gemm.h"
#include "rows.h"

namespace millrace {
namespace {

Type productType(const Call& c) { return c.engine->bf16 ? Type::bf16 : Type::f32; }

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
  /** Numbers in x, y, A, B and what lies between the factors. */
  size_t inputs, outputs, factorA, factorB, count;

  /** ints from two places on: rows, in; out, blocks, width. */
  LowRank(const Call& c, size_t at, size_t own, float scale)
      : rows(int64_t(c.size(at))), in(int64_t(c.size(at + 1))), out(int64_t(c.size(own))),
        blocks(int64_t(c.divisor(own + 1))), width(int64_t(c.size(own + 2))), scale(scale), type(productType(c)),
        inputs(product({size_t(rows), size_t(in)})), outputs(product({size_t(rows), size_t(out)})),
        factorA(product({size_t(in), size_t(width)})), factorB(product({size_t(width), size_t(out)})),
        count(product({size_t(blocks), size_t(rows), size_t(width)})) {
    if (in % blocks || out % blocks || width % blocks)
      throw std::runtime_error("expected " + std::to_string(blocks) + " blocks to divide " + std::to_string(in) + ", " +
                               std::to_string(out) + " and " + std::to_string(width));
  }

  int64_t chunkIn() const { return in / blocks; }
  int64_t chunkOut() const { return out / blocks; }

  /** y = scale·x in the type of products. */
  void scaled(const float* x, void* y) const {
    inChunks(count, [&](size_t at, size_t n) {
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
    parallelFor(size_t(rows), worthSplitting(size_t(blocks * width)), [&](size_t b, size_t e) {
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
    float* raw = c.temp<float>(count);
    void* factor = as(c, a, type, factorA);
    Gemm g;
    g.m = rows, g.k = chunkIn(), g.n = width;
    eachBlock([&](int64_t j) {
      g.a = {offset(x, type, j * chunkIn()), type, {in, 1}};
      g.b = {offset(factor, type, j * chunkIn() * width), type, {width, 1}};
      g.c = {raw + j * rows * width, Type::f32, {width, 1}};
      gemm(c, g);
    });
    if (blocks == 1) return scaled(raw, low);
    float* turned = c.temp<float>(count);
    swapped(raw, turned);
    scaled(turned, low);
  }

  /** low·B [rows, out]. */
  void up(Call& c, void* low, size_t b, void* y) const {
    void* factor = as(c, b, type, factorB);
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
    float* raw = c.temp<float>(count);
    void* factor = as(c, b, type, factorB);
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
    void* turned = c.temp<char>(product({count, sizeOf(type)}));
    if (type == Type::f32)
      swapped(static_cast<float*>(low), static_cast<float*>(turned));
    else
      swapped(static_cast<uint16_t*>(low), static_cast<uint16_t*>(turned));
    return turned;
  }

  /** dx (+)= dLow·Aᵀ, in f32. */
  void inputGrad(Call& c, void* dLow, size_t a, float* dx, bool accumulate) const {
    void *turned = byInputs(c, dLow), *factor = as(c, a, type, factorA);
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
LowRank changeOf(const Call& c, size_t i, float scale) { return LowRank(c, 0, 3 + 3 * i, scale); }

/**
 * y = x·W + b (+ residual) (+ scale·(x·A)·B), for several maps of the same x.
 *
 * ins: x, residual, then of each map weight, bias, A, B. ints: see `changeOf`; a width of 0 is no change. floats: the
 * scales. outs: all scale·x·A, one behind the other; then the results.
 */
void linears(Call& c) {
  size_t maps = c.divisor(2), total = 0;
  Type type = productType(c);
  for (size_t i = 0; i < maps; i++) total += changeOf(c, i, 1).count;
  void* x = as(c, 0, type, changeOf(c, 0, 1).inputs);
  void* low = c.out(0, type, total).buffer->data;
  for (size_t i = 0; i < maps; i++) {
    size_t at = 2 + 4 * i;
    LowRank change = changeOf(c, i, float(c.number(i)));
    Gemm g;
    g.m = change.rows, g.k = change.in, g.n = change.out;
    g.a = {x, type, {change.in, 1}};
    g.b = {nullptr, type, {change.out, 1}};
    g.weight = &c.in(at, product({size_t(change.in), size_t(change.out)}));
    if (c.has(at + 1)) g.bias = c.f32(at + 1, size_t(change.out));
    if (change.width > 0) {
      void* moved = c.temp<char>(product({change.outputs, sizeOf(type)}));
      change.down(c, x, at + 2, low);
      change.up(c, low, at + 3, moved);
      g.added.push_back({moved, type, {change.out, 1}});
      low = offset(low, type, int64_t(change.count));
    }
    if (c.has(1)) g.added.push_back({const_cast<float*>(c.f32(1, change.outputs)), Type::f32, {change.out, 1}});
    // What is added to the residual stream stays in f32.
    Type result = c.has(1) ? Type::f32 : type;
    g.c = {c.out(1 + i, result, change.outputs).buffer->data, result, {change.out, 1}};
    gemm(c, g);
  }
}

/**
 * dx = Σ dy·Wᵀ + dLow·Aᵀ. ins: of each map dy, weight, dLow, A; ints: see `changeOf`.
 *
 * A sum is kept in f32 until it is whole; a single product is stored as products are.
 */
void linearsGradInput(Call& c) {
  size_t maps = c.divisor(2), count = changeOf(c, 0, 1).inputs;
  Type type = productType(c);
  float* sum = nullptr;
  for (size_t i = 0; i < maps; i++) {
    LowRank change = changeOf(c, i, 1);
    if (change.width == 0) continue;
    bool first = !sum;
    if (first) sum = c.temp<float>(count);
    change.inputGrad(c, as(c, 4 * i + 2, type, change.count), 4 * i + 3, sum, !first);
  }
  for (size_t i = 0; i < maps; i++) {
    LowRank change = changeOf(c, i, 1);
    Gemm g;
    g.m = change.rows, g.k = change.out, g.n = change.in;
    g.a = {as(c, 4 * i, type, change.outputs), type, {change.out, 1}};
    g.b = {nullptr, type, {1, change.out}};
    g.weight = &c.in(4 * i + 1, product({size_t(change.in), size_t(change.out)}));
    if (sum) g.added.push_back({sum, Type::f32, {change.in, 1}});
    Type result = maps == 1 && !sum ? type : Type::f32;
    sum = i + 1 < maps ? c.temp<float>(count) : nullptr;
    g.c = {sum ? sum : c.out(0, result, count).buffer->data, result, {change.in, 1}};
    gemm(c, g);
  }
}

/** ints: rows, in, out, blocks, width. */
LowRank only(const Call& c) { return LowRank(c, 0, 2, 1); }

/** ins: dy, B; floats: scale. */
void lowRankGrad(Call& c) {
  LowRank change = only(c);
  change.scale = float(c.number(0));
  void* dy = as(c, 0, change.type, change.outputs);
  change.downGrad(c, dy, 1, c.out(0, change.type, change.count).buffer->data);
}

/** dA = xᵀ·dLow. ins: x, dLow. */
void lowRankGradA(Call& c) {
  LowRank change = only(c);
  void *x = as(c, 0, change.type, change.inputs);
  void* dLow = change.byInputs(c, as(c, 1, change.type, change.count));
  float* result = c.outF32(0, change.factorA);
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
  size_t all = c.in(0).count, at = c.size(5);
  if (at > all || all - at < change.count) throw std::runtime_error("expected the map's own part within all of them");
  void *low = offset(as(c, 0, change.type, all), change.type, int64_t(at));
  void* dy = as(c, 1, change.type, change.outputs);
  float* result = c.outF32(0, change.factorB);
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
