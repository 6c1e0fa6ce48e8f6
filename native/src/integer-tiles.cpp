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

#if defined(__AMX_INT8__)
constexpr size_t kRows8 = 32;

/** Eight tiles of 16 rows of 64 bytes. */
struct TileShapes {
  uint8_t palette = 1, startRow = 0, reserved[14] = {};
  uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
alignas(64) static const TileShapes kShapes;

/** The unit's state for as long as tiles are multiplied; a thread that has none is switched faster. */
struct TileState {
  TileState() { asm volatile("ldtilecfg %0" : : "m"(kShapes)); }
  ~TileState() { _tile_release(); }
};

/** Adds to `to` [kRows8, kColumns] the sums over the runs of one block, or puts them there. */
void block8(const int32_t* a, const int32_t* weights, const int32_t* begin, size_t runs, float* to, bool first) {
  constexpr size_t kTile = 16 * kRun;
  alignas(64) int32_t sums[kRows8 * kColumns];
  // What the intrinsics read they do not tell the compiler.
  asm volatile("" ::: "memory");
  // All rows begin alike.
  _tile_loadd(0, begin, 0);
  _tile_loadd(1, begin + kLanes, 0);
  _tile_loadd(2, begin, 0);
  _tile_loadd(3, begin + kLanes, 0);
  for (; runs > 0; runs--, a += 2 * kTile, weights += 2 * kTile) {
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
  for (size_t i = 0; i < kRows8 * kColumns; i += kLanes) put(to + i, load(sums + i), first);
}
#else
constexpr size_t kRows8 = kRows;
struct TileState {};
#endif

template <Integers K>
constexpr size_t rowsOf() {
  return K == Integers::int8 ? kRows8 : kRows;
}

/** Adds to `to` [kRows, kColumns] the integers' sums over the runs of one block, or puts them there. */
template <Integers K>
void block(const int32_t* a, const int32_t* weights, const int32_t* begin, size_t runs, float* to, bool first) {
#if defined(__AMX_INT8__)
  if (K == Integers::int8) return block8(a, weights, begin, runs, to, first);
#endif
  Ints left[kRows], right[kRows];
#pragma GCC unroll 12
  for (size_t r = 0; r < kRows; r++) {
    left[r] = K == Integers::int8 ? load(begin) : zero();
    right[r] = K == Integers::int8 ? load(begin + kLanes) : zero();
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

/** The sums over all runs. */
template <Integers K>
void sums(const int32_t* a, const int32_t* weights, const int32_t* begin, size_t runs, float* to) {
  constexpr size_t kBlock = formatOf(K).perBlock / formatOf(K).perWord / kRun;
  for (size_t at = 0; at < runs; at += kBlock) {
    size_t count = runs - at < kBlock ? runs - at : kBlock;
    const int32_t* own = K == Integers::int8 ? begin + at / kBlock * kColumns : nullptr;
    block<K>(a + at * rowsOf<K>() * kRun, weights + at * kRun * kColumns, own, count, to, at == 0);
  }
}

/** Writes a tile's results; `n` columns, as a constant where the tile is whole. */
inline void finish(float* sums, const IntegerProduct& p, size_t row, size_t column, size_t rows, size_t n) {
  for (size_t r = 0; r < rows; r++) {
    float* y = sums + r * kColumns;
    float scale = p.rowScales[row + r];
    const float *scales = p.columnScales + column, *bias = p.bias + column;
#pragma omp simd
    for (size_t c = 0; c < n; c++) y[c] *= scale * scales[c];
    if (p.bias)
#pragma omp simd
      for (size_t c = 0; c < n; c++) y[c] += bias[c];
    for (size_t i = 0; i < p.addedCount; i++) {
      size_t at = (row + r) * p.added[i].stride + column;
      const float* f32 = static_cast<const float*>(p.added[i].data) + at;
      const uint16_t* half = static_cast<const uint16_t*>(p.added[i].data) + at;
      if (p.added[i].bf16)
#pragma omp simd
        for (size_t c = 0; c < n; c++) y[c] += wide(half[c]);
      else
#pragma omp simd
        for (size_t c = 0; c < n; c++) y[c] += f32[c];
    }
    size_t at = (row + r) * p.y.stride + column;
    uint16_t* half = static_cast<uint16_t*>(p.y.data) + at;
    if (p.y.bf16)
#pragma omp simd
      for (size_t c = 0; c < n; c++) half[c] = narrow(y[c]);
    else
      memcpy(static_cast<float*>(p.y.data) + at, y, n * sizeof(float));
  }
}

template <Integers K>
void multiplyIn(const IntegerProduct& p, TileRange rows, TileRange columns) {
  constexpr size_t kHigh = rowsOf<K>(), kBlock = formatOf(K).perBlock / formatOf(K).perWord / kRun;
  alignas(64) float room[kHigh * kColumns];
  size_t blocks = (p.runs + kBlock - 1) / kBlock;
  TileState state;
  for (size_t j = columns.begin; j < columns.end; j++)
    for (size_t i = rows.begin; i < rows.end; i++) {
      size_t row = i * kHigh, column = j * kColumns;
      const int32_t* begin = K == Integers::int8 ? p.begin + blocks * column : nullptr;
      sums<K>(p.a + row * p.runs * kRun, p.weights + column * p.runs * kRun, begin, p.runs, room);
      size_t high = p.rows - row < kHigh ? p.rows - row : kHigh;
      if (p.columns - column >= kColumns)
        finish(room, p, row, column, high, kColumns);
      else
        finish(room, p, row, column, high, p.columns - column);
    }
}

void multiply(const IntegerProduct& p, TileRange rows, TileRange columns) {
  if (p.kind == Integers::int8)
    multiplyIn<Integers::int8>(p, rows, columns);
  else
    multiplyIn<Integers::int16>(p, rows, columns);
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
const IntegerTiles integers = {MILLRACE_TEXT(MILLRACE_ISA), {kRows8, kRows}, kColumns, {kMost8, 4095}, quantize, multiply};

}  // namespace MILLRACE_ISA
}  // namespace millrace
