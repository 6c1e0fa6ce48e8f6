// Compiled once per instruction set: see native/install.mjs. No templates of the standard library here, as in loops.cpp.
// Without fused multiply-adds, so that all of them have the same results to the last bit.
#include "integer-tiles.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "approximations.h"

#define MILLRACE_TEXT2(a) #a
#define MILLRACE_TEXT(a) MILLRACE_TEXT2(a)

namespace millrace {
namespace MILLRACE_ISA {
namespace {

// A vector of sums, and what it takes to fill it: `dot` adds the products of the integers in each word. A tile is two
// vectors wide, and as high as registers allow.
#if defined(__AVX512VNNI__)
using Ints = __m512i;
constexpr size_t kLanes = 16, kRows = 12;
constexpr int kMost8 = 127;

inline Ints load(const int32_t* from) {
  Ints x = _mm512_load_si512(from);
  // What the compiler does not know to be memory it does not load again for every row.
  asm("" : "+v"(x));
  return x;
}
inline Ints repeat(int32_t word) { return _mm512_set1_epi32(word); }
inline Ints zero() { return _mm512_setzero_si512(); }
// As GCC 12 compiles the intrinsics, every sum goes through memory at every step: a quarter of the speed.
template <Integers K>
inline Ints dot(Ints sum, Ints a, Ints w) {
  if (K == Integers::int8)
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(w));
  else
    asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(w));
  return sum;
}
inline void put(float* to, Ints sum, bool first) {
  __m512 wide = _mm512_cvtepi32_ps(sum);
  _mm512_store_ps(to, first ? wide : _mm512_add_ps(_mm512_load_ps(to), wide));
}
#elif defined(__AVX2__)
using Ints = __m256i;
constexpr size_t kLanes = 8, kRows = 4;
constexpr int kMost8 = 64;

inline Ints load(const int32_t* from) { return _mm256_load_si256(reinterpret_cast<const __m256i*>(from)); }
inline Ints repeat(int32_t word) { return _mm256_set1_epi32(word); }
inline Ints zero() { return _mm256_setzero_si256(); }
template <Integers K>
inline Ints dot(Ints sum, Ints a, Ints w) {
  Ints products = K == Integers::int8 ? _mm256_madd_epi16(_mm256_maddubs_epi16(a, w), _mm256_set1_epi16(1))
                                      : _mm256_madd_epi16(a, w);
  return _mm256_add_epi32(sum, products);
}
inline void put(float* to, Ints sum, bool first) {
  __m256 wide = _mm256_cvtepi32_ps(sum);
  _mm256_store_ps(to, first ? wide : _mm256_add_ps(_mm256_load_ps(to), wide));
}
#else
constexpr size_t kLanes = 4, kRows = 4;
constexpr int kMost8 = 127;
struct Ints {
  int32_t lane[kLanes];
};

inline Ints load(const int32_t* from) {
  Ints x;
  memcpy(x.lane, from, sizeof(x.lane));
  return x;
}
inline Ints repeat(int32_t word) {
  Ints x;
  for (size_t i = 0; i < kLanes; i++) x.lane[i] = word;
  return x;
}
inline Ints zero() { return repeat(0); }
template <Integers K>
inline Ints dot(Ints sum, Ints a, Ints w) {
  for (size_t i = 0; i < kLanes; i++) {
    if (K == Integers::int8) {
      uint8_t x[4];
      int8_t y[4];
      memcpy(x, a.lane + i, 4), memcpy(y, w.lane + i, 4);
      for (size_t k = 0; k < 4; k++) sum.lane[i] += int32_t(x[k]) * y[k];
    } else {
      int16_t x[2], y[2];
      memcpy(x, a.lane + i, 4), memcpy(y, w.lane + i, 4);
      sum.lane[i] += int32_t(x[0]) * y[0] + int32_t(x[1]) * y[1];
    }
  }
  return sum;
}
inline void put(float* to, Ints sum, bool first) {
  for (size_t i = 0; i < kLanes; i++) to[i] = first ? float(sum.lane[i]) : to[i] + float(sum.lane[i]);
}
#endif

constexpr size_t kColumns = 2 * kLanes;

using Floats = float __attribute__((vector_size(4 * kLanes)));
using Words = uint32_t __attribute__((vector_size(4 * kLanes)));
using Whole = int32_t __attribute__((vector_size(4 * kLanes)));
using Halves = uint16_t __attribute__((vector_size(2 * kLanes)));

template <typename V>
inline V vectorAt(const void* from) {
  V x;
  memcpy(&x, from, sizeof(V));
  return x;
}

inline Floats sumsAt(const float* from) { return vectorAt<Floats>(from); }
inline Floats sumsAt(const int32_t* from) { return __builtin_convertvector(vectorAt<Whole>(from), Floats); }

/** Walks down the rows of a matrix. */
struct Walk {
  char* at;
  size_t step;
  bool bf16;

  Walk(const Place& place, size_t row, size_t column) : at(nullptr), bf16(place.bf16) {
    size_t size = bf16 ? 2 : 4;
    step = place.stride * size;
    if (place.data) at = static_cast<char*>(place.data) + row * step + column * size;
  }
  Floats read(size_t column) const {
    if (!bf16) return vectorAt<Floats>(at + 4 * column);
    return (Floats)(__builtin_convertvector(vectorAt<Halves>(at + 2 * column), Words) << 16);
  }
  float readOne(size_t column) const {
    return bf16 ? wide(reinterpret_cast<uint16_t*>(at)[column]) : reinterpret_cast<float*>(at)[column];
  }
  /** As `narrow` rounds to bf16. */
  void write(size_t column, Floats x) const {
    if (!bf16) return void(memcpy(at + 4 * column, &x, sizeof(x)));
    Words bits = (Words)x, rounded = bits + (0x7fffu + ((bits >> 16) & 1u));
    Words chosen = x == x ? rounded : bits | 0x400000u;
    Halves half = __builtin_convertvector(chosen >> 16, Halves);
    memcpy(at + 2 * column, &half, sizeof(half));
  }
  void writeOne(size_t column, float x) const {
    if (bf16)
      reinterpret_cast<uint16_t*>(at)[column] = narrow(x);
    else
      reinterpret_cast<float*>(at)[column] = x;
  }
};

/** Where a tile lies in a product, and what of it is within. */
struct Tile {
  size_t row, column, rows, columns;
};

/** Writes a tile's results, of its sums [rows of a tile, kColumns]. */
template <typename Sum>
void finish(const IntegerProduct& p, const Tile& tile, const Sum* sums) {
  const float *rowScales = p.rowScales + tile.row, *columnScales = p.columnScales + tile.column;
  const float* bias = p.bias ? p.bias + tile.column : nullptr;
  size_t count = p.addedCount;
  Walk y(p.y, tile.row, tile.column), first(p.added[0], tile.row, tile.column), second(p.added[1], tile.row, tile.column);
  Floats scales[2] = {}, biases[2] = {};
  bool whole = tile.columns == kColumns;
  for (size_t h = 0; whole && h < 2; h++) {
    scales[h] = vectorAt<Floats>(columnScales + h * kLanes);
    if (bias) biases[h] = vectorAt<Floats>(bias + h * kLanes);
  }
  for (size_t r = 0; r < tile.rows; r++, sums += kColumns) {
    if (whole)
#pragma GCC unroll 2
      for (size_t h = 0; h < 2; h++) {
        Floats x = sumsAt(sums + h * kLanes) * (rowScales[r] * scales[h]);
        if (bias) x += biases[h];
        if (count > 0) x += first.read(h * kLanes);
        if (count > 1) x += second.read(h * kLanes);
        y.write(h * kLanes, x);
      }
    else
      for (size_t c = 0; c < tile.columns; c++) {
        float x = float(sums[c]) * (rowScales[r] * columnScales[c]);
        if (bias) x += bias[c];
        if (count > 0) x += first.readOne(c);
        if (count > 1) x += second.readOne(c);
        y.writeOne(c, x);
      }
    y.at += y.step, first.at += first.step, second.at += second.step;
  }
}

/** Runs in a block. */
constexpr size_t blockOf(Integers kind) { return formatOf(kind).perBlock / formatOf(kind).perWord / kRun; }

/** The integers of one tile: its rows, its columns, and where its sums begin. */
struct Operands {
  const int32_t *a, *weights, *begin;
};

/** Adds to `to` [kRows, kColumns] the integers' sums over the runs of one block, or puts them there. */
template <Integers K>
void block(const Operands& from, size_t runs, float* to, bool first) {
  const int32_t *a = from.a, *weights = from.weights;
  Ints left[kRows], right[kRows];
#pragma GCC unroll 12
  for (size_t r = 0; r < kRows; r++) {
    left[r] = K == Integers::int8 ? load(from.begin) : zero();
    right[r] = K == Integers::int8 ? load(from.begin + kLanes) : zero();
  }
  for (; runs > 0; runs--, a += kRows * kRun) {
    for (size_t i = 0; i < kRun; i++, weights += kColumns) {
      Ints w = load(weights), next = load(weights + kLanes);
#pragma GCC unroll 12
      for (size_t r = 0; r < kRows; r++) {
        Ints x = repeat(a[r * kRun + i]);
        left[r] = dot<K>(left[r], x, w);
        right[r] = dot<K>(right[r], x, next);
      }
    }
  }
#pragma GCC unroll 12
  for (size_t r = 0; r < kRows; r++) {
    put(to + r * kColumns, left[r], first);
    put(to + r * kColumns + kLanes, right[r], first);
  }
}

/** A tile in vectors: [kRows, kColumns]. */
template <Integers K>
struct Vectors {
  static constexpr Integers kKind = K;
  static constexpr size_t kHigh = kRows;

  void make(const IntegerProduct& p, Operands from, const Tile& tile) {
    alignas(64) float sums[kRows * kColumns];
    for (size_t at = 0; at < p.runs; at += blockOf(K)) {
      size_t runs = p.runs - at < blockOf(K) ? p.runs - at : blockOf(K);
      block<K>(from, runs, sums, at == 0);
      from.a += runs * kRows * kRun, from.weights += runs * kRun * kColumns;
      if (K == Integers::int8) from.begin += kColumns;
    }
    finish(p, tile, sums);
  }
};

#if defined(__AMX_INT8__)
/** Eight tiles of 16 rows of 64 bytes. */
struct TileShapes {
  uint8_t palette = 1, startRow = 0, reserved[14] = {};
  uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
alignas(64) const TileShapes kShapes;

/** A tile in two by two of AMX's; their state is loaded as long as there is one of these. */
struct TwoByTwo {
  static constexpr Integers kKind = Integers::int8;
  static constexpr size_t kHigh = 32, kCount = kHigh * kColumns;

  TwoByTwo() { asm volatile("ldtilecfg %0" : : "m"(kShapes)); }
  ~TwoByTwo() { _tile_release(); }

  void make(const IntegerProduct& p, Operands from, const Tile& tile) {
    constexpr size_t kBlock = blockOf(kKind);
    alignas(64) int32_t whole[kCount];
    if (p.runs <= kBlock) {
      block(from, p.runs, whole);
      return finish(p, tile, whole);
    }
    alignas(64) float sums[kCount];
    for (size_t at = 0; at < p.runs; at += kBlock) {
      size_t runs = p.runs - at < kBlock ? p.runs - at : kBlock;
      block(from, runs, whole);
      for (size_t i = 0; i < kCount; i += kLanes) put(sums + i, load(whole + i), at == 0);
      from.a += runs * kHigh * kRun, from.weights += runs * kRun * kColumns, from.begin += kColumns;
    }
    finish(p, tile, sums);
  }

 private:
  static void block(const Operands& from, size_t runs, int32_t* sums) {
    constexpr size_t kTile = 16 * kRun;
    const int32_t *a = from.a, *weights = from.weights;
    // What the intrinsics read they do not tell the compiler.
    asm volatile("" ::: "memory");
    // All rows begin alike.
    _tile_loadd(0, from.begin, 0);
    _tile_loadd(1, from.begin + kLanes, 0);
    _tile_loadd(2, from.begin, 0);
    _tile_loadd(3, from.begin + kLanes, 0);
    for (; runs > 0; runs--, a += 2 * kTile, weights += kRun * kColumns) {
      _tile_loadd(4, a, 4 * kRun);
      _tile_loadd(6, weights, 4 * kColumns);
      _tile_loadd(7, weights + kLanes, 4 * kColumns);
      _tile_dpbusd(0, 4, 6);
      _tile_dpbusd(1, 4, 7);
      _tile_loadd(5, a + kTile, 4 * kRun);
      _tile_dpbusd(2, 5, 6);
      _tile_dpbusd(3, 5, 7);
    }
    _tile_stored(0, sums, 4 * kColumns);
    _tile_stored(1, sums + kLanes, 4 * kColumns);
    _tile_stored(2, sums + 16 * kColumns, 4 * kColumns);
    _tile_stored(3, sums + 16 * kColumns + kLanes, 4 * kColumns);
  }
};
using In8 = TwoByTwo;
#else
using In8 = Vectors<Integers::int8>;
#endif
using In16 = Vectors<Integers::int16>;

template <typename Maker>
void multiplyIn(const IntegerProduct& p, TileRange rows, TileRange columns) {
  Maker maker;
  size_t blocks = (p.runs + blockOf(Maker::kKind) - 1) / blockOf(Maker::kKind);
  for (size_t i = rows.begin; i < rows.end; i++)
    for (size_t j = columns.begin; j < columns.end; j++) {
      size_t row = i * Maker::kHigh, column = j * kColumns;
      Tile tile = {row, column, p.rows - row, p.columns - column};
      if (tile.rows > Maker::kHigh) tile.rows = Maker::kHigh;
      if (tile.columns > kColumns) tile.columns = kColumns;
      const int32_t* begin = p.begin ? p.begin + blocks * column : nullptr;
      maker.make(p, {p.a + row * p.runs * kRun, p.weights + column * p.runs * kRun, begin}, tile);
    }
}

void multiply(const IntegerProduct& p, TileRange rows, TileRange columns) {
  if (p.kind == Integers::int8)
    multiplyIn<In8>(p, rows, columns);
  else
    multiplyIn<In16>(p, rows, columns);
}

// The sum of 1.5·2²³ and a number below 2²² has the number, to the nearest and ties to even, in its last bits.
constexpr float kRounder = 12582912.f;
constexpr int32_t kRounderBits = 0x4b400000;

inline int32_t rounded(float x) {
  return toBits(x + kRounder) - kRounderBits;
}

inline float f32(float x) { return x; }
inline float f32(uint16_t x) { return wide(x); }

/** Rounds numbers of type X into a run: `T` is what they are stored in, and a run holds `n` of them. */
template <typename T, typename X>
inline void run(const X* x, float inverse, int32_t added, int32_t* to) {
  constexpr size_t n = kRun * 4 / sizeof(T);
  alignas(64) T part[n];
#pragma omp simd
  for (size_t i = 0; i < n; i++) part[i] = T(rounded(f32(x[i]) * inverse) + added);
  memcpy(to, part, sizeof(part));
}

template <typename T, typename X>
void runs(const X* x, size_t n, float inverse, int32_t added, int32_t* to, size_t stride) {
  constexpr size_t kNumbers = kRun * 4 / sizeof(T);
  for (; n >= kNumbers; n -= kNumbers, x += kNumbers, to += stride) run<T>(x, inverse, added, to);
  if (n == 0) return;
  X last[kNumbers] = {};
  memcpy(last, x, n * sizeof(X));
  run<T>(last, inverse, added, to);
}

// Magnitudes compare as their bits do, and NaN is the largest.
inline int32_t magnitude(float x) { return toBits(x) & 0x7fffffff; }
inline int32_t magnitude(uint16_t x) { return (x & 0x7fff) << 16; }

template <typename X>
void quantizeRow(Integers kind, const X* x, size_t n, int32_t* to, size_t stride, float* scale) {
  int32_t top = 0;
#pragma omp simd reduction(max : top)
  for (size_t i = 0; i < n; i++) {
    int32_t bits = magnitude(x[i]);
    top = bits > top ? bits : top;
  }
  float most = float(formatOf(kind).most), largest = fromBits(top);
  bool finite = top < 0x7f800000;
  // Below this the inverse is not finite, and the row is nothing beside any other.
  bool empty = !finite || largest < 1e-30f;
  *scale = !finite ? NAN : empty ? 0.f : largest / most;
  if (empty) {
    int32_t zero = kind == Integers::int8 ? int32_t(0x80808080) : 0;
    size_t perRun = kRun * formatOf(kind).perWord;
    for (size_t at = 0; at < n; at += perRun, to += stride)
      for (size_t i = 0; i < kRun; i++) to[i] = zero;
  } else if (kind == Integers::int8)
    runs<uint8_t>(x, n, most / largest, kAdded, to, stride);
  else
    runs<int16_t>(x, n, most / largest, 0, to, stride);
}

void quantize(Integers kind, const void* x, bool bf16, size_t n, int32_t* to, size_t stride, float* scale) {
  if (bf16)
    quantizeRow(kind, static_cast<const uint16_t*>(x), n, to, stride, scale);
  else
    quantizeRow(kind, static_cast<const float*>(x), n, to, stride, scale);
}

}  // namespace

extern const IntegerTiles integers;
const IntegerTiles integers = {MILLRACE_TEXT(MILLRACE_ISA), {In8::kHigh, In16::kHigh}, kColumns, {kMost8, 4095},
                               quantize, multiply};

}  // namespace MILLRACE_ISA
}  // namespace millrace
