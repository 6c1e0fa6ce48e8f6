#include "integer-gemm.h"
#include "rows.h"

namespace millrace {
namespace {

Type productType(const Call& c) { return c.engine->bf16 ? Type::bf16 : Type::f32; }

void* offset(void* data, Type type, int64_t count) { return static_cast<char*>(data) + size_t(count) * sizeOf(type); }

/**
 * A low-rank change of a weight in K × K blocks, each of rank r: K = 1 is LoRA. A [K, in/K, K·r] holds for input
 * chunk j the factors of all outputs i side by side, B [K, K·r, out/K] for output chunk i those of all inputs j.
 *
 * The product with the first factor is stored as [K, rows, K·r]: by outputs i for B, or by inputs j for A.
 */
struct LowRank {
  int64_t rows, in, out, blocks, width;
  float scale;
  Type type;
  /** Counts of numbers in x, y, A, B and the product with the first factor. */
  size_t inputs, outputs, factorA, factorB, count;

  /** Of the kernel K, which knows rows and in, and from the place `at` on out, blocks and width of a map. */
  template <typename K, typename Map>
  static LowRank of(const Call& c, size_t at, float scale) {
    return LowRank(c, {c.size(K::Num::rows), c.size(K::Num::in), c.size(at + Map::Num::out),
                       c.divisor(at + Map::Num::blocks), c.size(at + Map::Num::width), scale});
  }

  struct Sizes {
    size_t rows, in, out, blocks, width;
    float scale;
  };

  LowRank(const Call& c, Sizes s)
      : rows(int64_t(s.rows)), in(int64_t(s.in)), out(int64_t(s.out)), blocks(int64_t(s.blocks)),
        width(int64_t(s.width)), scale(s.scale), type(productType(c)), inputs(product({size_t(rows), size_t(in)})), outputs(product({size_t(rows), size_t(out)})),
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
      loops().binary(Binary::Multiply, x + at, 1, &scale, 0, to, n);
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

/** Map i of the several that the kernel K has. */
template <typename K>
LowRank changeOf(const Call& c, size_t i, float scale = 1) {
  return LowRank::of<K, typename K::Each>(c, K::Num::length + i * K::Each::Num::length, scale);
}

/**
 * What map i's own product is computed in, where that is integers: those of the engine, or int16 where that is what the
 * map's `bits` ask for. They are 0 where its weight trains, which is never rounded to integers.
 */
template <typename K>
std::optional<Integers> integersOf(const Call& c, size_t i) {
  size_t bits = c.size(K::Num::length + i * K::Each::Num::length + K::Each::Num::bits);
  if (bits != 0 && bits != 8 && bits != 16) throw std::runtime_error("expected integers of 8 or 16 bits");
  if (bits == 0 || !c.engine->integers) return std::nullopt;
  return bits == 16 ? Integers::int16 : c.engine->integers;
}

/**
 * y = x·W + b (+ residual) (+ scale·(x·A)·B), for several maps of the same x.
 *
 * A width of 0 is no change, without A and B; residual and biases may be left out, too. `low` is all scale·x·A, one
 * behind the other.
 */
struct Linears : Arguments {
  INPUTS(x, residual);
  RESULTS(low);
  NUMBERS(rows, in, maps);
  struct Each : NoArguments {
    INPUTS(weight, bias, a, b);
    RESULTS(y);
    NUMBERS(out, blocks, width, scale, bits);
  };
  static void run(Call& c);
};

void Linears::run(Call& c) {
  size_t maps = c.divisor(Num::maps), total = 0;
  Type type = productType(c);
  for (size_t i = 0; i < maps; i++) total += changeOf<Linears>(c, i).count;
  void* x = as(c, In::x, type, changeOf<Linears>(c, 0).inputs);
  void* low = c.out(Out::low, type, total).buffer->data;
  std::optional<IntegerRows> rounded;
  for (size_t i = 0; i < maps; i++) {
    size_t at = In::length + i * Each::In::length;
    LowRank change =
        changeOf<Linears>(c, i, float(c.number(Num::length + i * Each::Num::length + Each::Num::scale)));
    Gemm g;
    g.m = change.rows, g.k = change.in, g.n = change.out;
    g.a = {x, type, {change.in, 1}};
    g.b = {nullptr, type, {change.out, 1}};
    g.weight = &c.in(at + Each::In::weight, product({size_t(change.in), size_t(change.out)}));
    if (c.has(at + Each::In::bias)) g.bias = c.f32(at + Each::In::bias, size_t(change.out));
    if (change.width > 0) {
      void* moved = c.temp<char>(product({change.outputs, sizeOf(type)}));
      change.down(c, x, at + Each::In::a, low);
      change.up(c, low, at + Each::In::b, moved);
      g.added.push_back({moved, type, {change.out, 1}});
      low = offset(low, type, int64_t(change.count));
    }
    bool added = c.has(In::residual);
    if (added)
      g.added.push_back({const_cast<float*>(c.f32(In::residual, change.outputs)), Type::f32, {change.out, 1}});
    // What is added to the residual stream stays in f32.
    Type result = added ? Type::f32 : type;
    g.c = {c.out(Out::length + i, result, change.outputs).buffer->data, result, {change.out, 1}};
    std::optional<Integers> integers = integersOf<Linears>(c, i);
    if (!integers) {
      gemm(c, g);
      continue;
    }
    // Neighbours are mostly of one kind, and one copy of the rows is enough for them.
    if (!rounded || rounded->kind != *integers)
      rounded.emplace(integerRows(*integers, g.a, size_t(change.rows), size_t(change.in)));
    integerGemm(c, g, *rounded);
  }
}

/**
 * dx = Σ dy·Wᵀ + dLow·Aᵀ; a width of 0 is no change, without dLow and A.
 *
 * A sum is kept in f32 until it is whole; a single product is stored as products are.
 */
struct LinearsGradInput : Arguments {
  RESULTS(dx);
  NUMBERS(rows, in, maps);
  struct Each : NoArguments {
    INPUTS(dy, weight, dLow, a);
    NUMBERS(out, blocks, width, bits);
  };
  static void run(Call& c);
};

void LinearsGradInput::run(Call& c) {
  size_t maps = c.divisor(Num::maps), count = changeOf<LinearsGradInput>(c, 0).inputs;
  auto input = [](size_t i, size_t place) { return i * Each::In::length + place; };
  Type type = productType(c);
  float* sum = nullptr;
  for (size_t i = 0; i < maps; i++) {
    LowRank change = changeOf<LinearsGradInput>(c, i);
    if (change.width == 0) continue;
    bool first = !sum;
    if (first) sum = c.temp<float>(count);
    void* dLow = as(c, input(i, Each::In::dLow), type, change.count);
    change.inputGrad(c, dLow, input(i, Each::In::a), sum, !first);
  }
  for (size_t i = 0; i < maps; i++) {
    LowRank change = changeOf<LinearsGradInput>(c, i);
    Gemm g;
    g.m = change.rows, g.k = change.out, g.n = change.in;
    g.a = {as(c, input(i, Each::In::dy), type, change.outputs), type, {change.out, 1}};
    g.b = {nullptr, type, {1, change.out}};
    g.weight = &c.in(input(i, Each::In::weight), product({size_t(change.in), size_t(change.out)}));
    if (sum) g.added.push_back({sum, Type::f32, {change.in, 1}});
    Type result = maps == 1 && !sum ? type : Type::f32;
    sum = i + 1 < maps ? c.temp<float>(count) : nullptr;
    g.c = {sum ? sum : c.out(Out::dx, result, count).buffer->data, result, {change.in, 1}};
    if (std::optional<Integers> integers = integersOf<LinearsGradInput>(c, i))
      integerGemm(c, g, integerRows(*integers, g.a, size_t(change.rows), size_t(change.out)));
    else
      gemm(c, g);
  }
}

/** dLow = scale·dy·Bᵀ. */
struct LowRankGrad : Arguments {
  INPUTS(dy, b);
  RESULTS(dLow);
  NUMBERS(rows, in, out, blocks, width, scale);
  static void run(Call& c);
};

void LowRankGrad::run(Call& c) {
  LowRank change = LowRank::of<LowRankGrad, LowRankGrad>(c, 0, float(c.number(Num::scale)));
  void* dy = as(c, In::dy, change.type, change.outputs);
  change.downGrad(c, dy, In::b, c.out(Out::dLow, change.type, change.count).buffer->data);
}

/** dA = xᵀ·dLow. */
struct LowRankGradA : Arguments {
  INPUTS(x, dLow);
  RESULTS(dA);
  NUMBERS(rows, in, out, blocks, width);
  static void run(Call& c);
};

void LowRankGradA::run(Call& c) {
  LowRank change = LowRank::of<LowRankGradA, LowRankGradA>(c, 0, 1);
  void *x = as(c, In::x, change.type, change.inputs);
  void* dLow = change.byInputs(c, as(c, In::dLow, change.type, change.count));
  float* result = c.outF32(Out::dA, change.factorA);
  Gemm g;
  g.m = change.chunkIn(), g.k = change.rows, g.n = change.width;
  change.eachBlock([&](int64_t j) {
    g.a = {offset(x, change.type, j * change.chunkIn()), change.type, {1, change.in}};
    g.b = {offset(dLow, change.type, j * change.rows * change.width), change.type, {change.width, 1}};
    g.c = {result + j * change.chunkIn() * change.width, Type::f32, {change.width, 1}};
    gemm(c, g);
  });
}

/** dB = lowᵀ·dy. `low` is all that of `Linears`, where this map's begins at `at`. */
struct LowRankGradB : Arguments {
  INPUTS(low, dy);
  RESULTS(dB);
  NUMBERS(rows, in, out, blocks, width, at);
  static void run(Call& c);
};

void LowRankGradB::run(Call& c) {
  LowRank change = LowRank::of<LowRankGradB, LowRankGradB>(c, 0, 1);
  size_t all = c.in(In::low).count, at = c.size(Num::at);
  if (at > all || all - at < change.count) throw std::runtime_error("expected the map's own part within all of them");
  void *low = offset(as(c, In::low, change.type, all), change.type, int64_t(at));
  void* dy = as(c, In::dy, change.type, change.outputs);
  float* result = c.outF32(Out::dB, change.factorB);
  Gemm g;
  g.m = change.width, g.k = change.rows, g.n = change.chunkOut();
  change.eachBlock([&](int64_t i) {
    g.a = {offset(low, change.type, i * change.rows * change.width), change.type, {1, change.width}};
    g.b = {offset(dy, change.type, i * change.chunkOut()), change.type, {change.out, 1}};
    g.c = {result + i * change.width * change.chunkOut(), Type::f32, {change.chunkOut(), 1}};
    gemm(c, g);
  });
}

KERNEL("Linears", Linears);
KERNEL("LinearsGradInput", LinearsGradInput);
KERNEL("LowRankGrad", LowRankGrad);
KERNEL("LowRankGradA", LowRankGradA);
KERNEL("LowRankGradB", LowRankGradB);

}  // namespace
}  // namespace millrace
