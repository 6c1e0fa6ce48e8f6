// Compiled once per instruction set: see native/install.mjs. No templates of the standard library here, as in loops.cpp.
// Without fused multiply-adds, so that all of them have the same results to the last bit.
#include "integer-tiles.h"

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "approximations.h"

#define MILLRACE_TEXT2(a) #a
#define MILLRACE_TEXT(a) MILLRACE_TEXT2(a)

namespace millrace {
namespace MILLRACE_ISA {
namespace {

// A vector of sums, and what it takes to fill it: `dot`, which is in `block` under VNNI, adds the products of the integers in
// each word; Arm has `dots`. A tile is two vectors wide, and as high as registers allow.
#if defined(__AVX512VNNI__)
using Ints = __m512i;
constexpr size_t kLanes = 16, kRows = 12;
constexpr int kMost8 = 127, kAdded = 128;

inline Ints load(const int32_t* from) { return _mm512_load_si512(from); }
inline void put(float* to, Ints sum, bool first) {
  __m512 wide = _mm512_cvtepi32_ps(sum);
  _mm512_store_ps(to, first ? wide : _mm512_add_ps(_mm512_load_ps(to), wide));
}
#elif defined(__AVX2__)
using Ints = __m256i;
constexpr size_t kLanes = 8, kRows = 4;
constexpr int kMost8 = 64, kAdded = 128;

inline Ints load(const int32_t* from) { return _mm256_load_si256(reinterpret_cast<const __m256i*>(from)); }
inline void put(float* to, Ints sum, bool first) {
  __m256 wide = _mm256_cvtepi32_ps(sum);
  _mm256_store_ps(to, first ? wide : _mm256_add_ps(_mm256_load_ps(to), wide));
}
#elif defined(__aarch64__)
using Ints = int32x4_t;
constexpr size_t kLanes = 4, kRows = 8;
constexpr int kMost8 = 127, kAdded = 0;

inline Ints load(const int32_t* from) { return vld1q_s32(from); }
inline void put(float* to, Ints sum, bool first) {
  float32x4_t wide = vcvtq_f32_s32(sum);
  vst1q_f32(to, first ? wide : vaddq_f32(vld1q_f32(to), wide));
}

#if defined(__ARM_FEATURE_DOTPROD)
template <int kWord>
inline Ints dot8(Ints sum, Ints a, Ints w) {
  return vdotq_laneq_s32(sum, (int8x16_t)w, (int8x16_t)a, kWord);
}
#else
template <int kWord>
inline Ints dot8(Ints sum, Ints a, Ints w) {
  int8x16_t x = (int8x16_t)vdupq_laneq_s32(a, kWord), y = (int8x16_t)w;
  return vpadalq_s16(sum, vpaddq_s16(vmull_s8(vget_low_s8(x), vget_low_s8(y)), vmull_high_s8(x, y)));
}
#endif

/** Adds the products of all columns' words and each row's: its word `kWord` of four that are in a register. */
template <Integers K, int kWord>
inline void dots(Ints* left, Ints* right, const Ints* a, const int32_t* weights) {
  Ints w = load(weights), next = load(weights + kLanes);
  if constexpr (K == Integers::int8) {
#pragma GCC unroll 8
    for (size_t r = 0; r < kRows; r++) {
      left[r] = dot8<kWord>(left[r], a[r], w);
      right[r] = dot8<kWord>(right[r], a[r], next);
    }
  } else {
    int16x8_t even = vuzp1q_s16((int16x8_t)w, (int16x8_t)next), odd = vuzp2q_s16((int16x8_t)w, (int16x8_t)next);
#pragma GCC unroll 8
    for (size_t r = 0; r < kRows; r++) {
      int16x8_t x = (int16x8_t)a[r];
      left[r] = vmlal_laneq_s16(left[r], vget_low_s16(even), x, 2 * kWord);
      left[r] = vmlal_laneq_s16(left[r], vget_low_s16(odd), x, 2 * kWord + 1);
      right[r] = vmlal_high_laneq_s16(right[r], even, x, 2 * kWord);
      right[r] = vmlal_high_laneq_s16(right[r], odd, x, 2 * kWord + 1);
    }
  }
}
#else
constexpr size_t kLanes = 4, kRows = 4;
constexpr int kMost8 = 127, kAdded = 128;
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

template <typename V>
inline V vectorAt(const void* from) {
  V x;
  memcpy(&x, from, sizeof(V));
  return x;
}

inline Floats sumsAt(const float* from) { return vectorAt<Floats>(from); }
inline Floats sumsAt(const int32_t* from) { return __builtin_convertvector(vectorAt<Whole>(from), Floats); }

// Words of halves, and the upper halves of two vectors' words: as GCC 12 compiles conversions, they go element by element.
#if defined(__AVX512VNNI__)
inline Words wordsOf(const void* halves) {
  return (Words)_mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(halves)));
}
inline void putUpper(void* to, Words left, Words right) {
  alignas(64) static const uint16_t kOdd[32] = {1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31,
                                                33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
  _mm512_storeu_si512(to, _mm512_permutex2var_epi16((__m512i)left, _mm512_load_si512(kOdd), (__m512i)right));
}
#elif defined(__AVX2__)
inline Words wordsOf(const void* halves) {
  return (Words)_mm256_cvtepu16_epi32(_mm_loadu_si128(static_cast<const __m128i*>(halves)));
}
inline void putUpper(void* to, Words left, Words right) {
  __m256i packed = _mm256_packus_epi32((__m256i)(left >> 16), (__m256i)(right >> 16));
  _mm256_storeu_si256(static_cast<__m256i*>(to), _mm256_permute4x64_epi64(packed, 0xd8));
}
#elif defined(__aarch64__)
inline Words wordsOf(const void* halves) { return (Words)vmovl_u16(vld1_u16(static_cast<const uint16_t*>(halves))); }
inline void putUpper(void* to, Words left, Words right) {
  vst1q_u16(static_cast<uint16_t*>(to), vuzp2q_u16((uint16x8_t)left, (uint16x8_t)right));
}
#else
using Halves = uint16_t __attribute__((vector_size(2 * kLanes)));
inline Words wordsOf(const void* halves) { return __builtin_convertvector(vectorAt<Halves>(halves), Words); }
inline void putUpper(void* to, Words left, Words right) {
  Halves halves[2] = {__builtin_convertvector(left >> 16, Halves), __builtin_convertvector(right >> 16, Halves)};
  memcpy(to, halves, sizeof(halves));
}
#endif

/** Numbers whose upper halves are what `narrow` rounds to bf16. */
inline Words upper(Floats x) {
  Words bits = (Words)x;
  return x == x ? bits + (0x7fffu + ((bits >> 16) & 1u)) : bits | 0x400000u;
}

/** Walks down the rows of a matrix. */
struct Walk {
  char* at;
  size_t step;
  bool bf16;

  Walk() : at(nullptr), step(0), bf16(false) {}
  Walk(const Place& place, size_t row, size_t column) : at(nullptr), bf16(place.bf16) {
    size_t size = bf16 ? 2 : 4;
    step = place.stride * size;
    if (place.data) at = static_cast<char*>(place.data) + row * step + column * size;
  }
  Floats read(size_t column) const {
    if (!bf16) return vectorAt<Floats>(at + 4 * column);
    return (Floats)(wordsOf(at + 2 * column) << 16);
  }
  float readOne(size_t column) const {
    return bf16 ? wide(reinterpret_cast<uint16_t*>(at)[column]) : reinterpret_cast<float*>(at)[column];
  }
  /** kColumns numbers from the first column on. */
  void write(Floats left, Floats right) const {
    if (bf16) return putUpper(at, upper(left), upper(right));
    memcpy(at, &left, sizeof(left)), memcpy(at + sizeof(left), &right, sizeof(right));
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

/** Row by row, where a tile's results go and what is added to them. */
struct Rows {
  Walk y, added[kMostAdded];

  Rows(const IntegerProduct& p, const Tile& tile)
      : y(p.y, tile.row, tile.column),
        added{{p.added[0], tile.row, tile.column}, {p.added[1], tile.row, tile.column}} {}
  void next() { y.at += y.step, added[0].at += added[0].step, added[1].at += added[1].step; }
};

/** Writes the results of a tile of whole rows: a loop without conditions. */
template <bool kNarrow, size_t kCount, typename Sum>
void finishWhole(const IntegerProduct& p, const Tile& tile, const Sum* sums) {
  Rows rows(p, tile);
  rows.y.bf16 = kNarrow;
  Floats scales[2], biases[2];
  for (size_t h = 0; h < 2; h++) {
    scales[h] = vectorAt<Floats>(p.columnScales + tile.column + h * kLanes);
    // −0 changes no number, not even a zero.
    biases[h] = p.bias ? vectorAt<Floats>(p.bias + tile.column + h * kLanes) : -Floats{};
  }
  for (size_t r = 0; r < tile.rows; r++, sums += kColumns, rows.next()) {
    Floats x[2];
#pragma GCC unroll 2
    for (size_t h = 0; h < 2; h++) {
      x[h] = sumsAt(sums + h * kLanes) * (p.rowScales[tile.row + r] * scales[h]) + biases[h];
#pragma GCC unroll 2
      for (size_t i = 0; i < kCount; i++) x[h] += rows.added[i].read(h * kLanes);
    }
    rows.y.write(x[0], x[1]);
  }
}

/** As `finishWhole`, of a tile that a product has only a part of. */
template <typename Sum>
void finishPart(const IntegerProduct& p, const Tile& tile, const Sum* sums) {
  Rows rows(p, tile);
  for (size_t r = 0; r < tile.rows; r++, sums += kColumns, rows.next())
    for (size_t c = 0; c < tile.columns; c++) {
      float x = float(sums[c]) * (p.rowScales[tile.row + r] * p.columnScales[tile.column + c]);
      if (p.bias) x += p.bias[tile.column + c];
      for (size_t i = 0; i < p.addedCount; i++) x += rows.added[i].readOne(c);
      rows.y.writeOne(c, x);
    }
}

/** Writes a tile's results, of its sums [rows of a tile, kColumns]. */
template <typename Sum>
void finish(const IntegerProduct& p, const Tile& tile, const Sum* sums) {
  using Finish = void (*)(const IntegerProduct&, const Tile&, const Sum*);
  static constexpr Finish kWhole[2][kMostAdded + 1] = {
      {finishWhole<false, 0>, finishWhole<false, 1>, finishWhole<false, 2>},
      {finishWhole<true, 0>, finishWhole<true, 1>, finishWhole<true, 2>}};
  (tile.columns == kColumns ? kWhole[p.y.bf16][p.addedCount] : finishPart<Sum>)(p, tile, sums);
}

/** Runs in a block. */
constexpr size_t blockOf(Integers kind) { return formatOf(kind).perBlock / formatOf(kind).perWord / kRun; }

#if defined(__SANITIZE_ADDRESS__)
/** Reads what assembly is about to read, as the sanitizer does not see it. */
inline void mustBeWithin(const void* from, size_t bytes) {
  for (size_t i = 0; i < bytes; i += 64) asm volatile("" : : "r"(static_cast<const char*>(from)[i]));
}
#else
inline void mustBeWithin(const void*, size_t) {}
#endif

/** The integers of one tile: its rows, its columns, and where its sums begin. */
struct Operands {
  const int32_t *a, *weights, *begin;
};

/**
 * Brings what a tile is finished with into the first-level cache while its products are computed, row by row: all rows at
 * once are more than a cache waits for, and products would wait, too.
 */
struct Fetch {
  static constexpr size_t kPlaces = 1 + kMostAdded;
  size_t left;
  const char* at[kPlaces];
  size_t steps[kPlaces];

  Fetch(const IntegerProduct& p, const Tile& tile) : left(tile.rows) {
    Rows rows(p, tile);
    for (size_t i = 0; i < kPlaces; i++) {
      const Walk& walk = i > 0 && i <= p.addedCount ? rows.added[i - 1] : rows.y;
      at[i] = walk.at, steps[i] = walk.step;
    }
  }
  void step() {
    if (left == 0) return;
    left--;
    for (size_t i = 0; i < kPlaces; at[i] += steps[i], i++) {
      __builtin_prefetch(at[i]);
      __builtin_prefetch(at[i] + 64);
    }
  }
};

/** What a tile's sums are kept in: int8 has one block nearly always, whose integers are made floats as it is finished. */
template <Integers K>
struct SumOf {
  using Type = float;
};
template <>
struct SumOf<Integers::int8> {
  using Type = int32_t;
};

#if defined(__AVX2__)
// In assembly, since it depends on what surrounds such a loop whether GCC 12 keeps all sums in registers, and whether it copies
// them at each step: half or a quarter of the speed of AVX512, and three quarters of AVX2's in int16. The registers from 8 on are
// the sums, left and right of each row; 0 and 1 the columns' words, 2 a row's.
#if defined(__AVX512VNNI__)
#define MILLRACE_HIGH 12
#define MILLRACE_BYTES 64
#define MILLRACE_MOVE "vmovdqa64 "
#define MILLRACE_V(n) "%%zmm" #n
#define MILLRACE_EACH_ROW(DO)                                                         \
  DO(0, 8, 9) DO(1, 10, 11) DO(2, 12, 13) DO(3, 14, 15) DO(4, 16, 17) DO(5, 18, 19)   \
  DO(6, 20, 21) DO(7, 22, 23) DO(8, 24, 25) DO(9, 26, 27) DO(10, 28, 29) DO(11, 30, 31)
#define MILLRACE_MORE_REGISTERS                                                                                      \
  , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",      \
      "xmm28", "xmm29", "xmm30", "xmm31"
#define MILLRACE_ONES ""
#define MILLRACE_DOT(dot, left, right) \
  dot MILLRACE_V(0) ", " MILLRACE_V(2) ", " left "\n " dot MILLRACE_V(1) ", " MILLRACE_V(2) ", " right "\n "
#define MILLRACE_DOTS8(left, right) MILLRACE_DOT("vpdpbusd ", left, right)
#define MILLRACE_DOTS16(left, right) MILLRACE_DOT("vpdpwssd ", left, right)
#else
#define MILLRACE_HIGH 4
#define MILLRACE_BYTES 32
#define MILLRACE_MOVE "vmovdqa "
#define MILLRACE_V(n) "%%ymm" #n
#define MILLRACE_EACH_ROW(DO) DO(0, 8, 9) DO(1, 10, 11) DO(2, 12, 13) DO(3, 14, 15)
#define MILLRACE_MORE_REGISTERS , "xmm3", "xmm4"
// Products by word are in 3 and 2; 4 has ones, by which pairs of sums in 16 bits become words.
#define MILLRACE_ONES "vpcmpeqw %%ymm4, %%ymm4, %%ymm4\n vpsrlw $15, %%ymm4, %%ymm4\n"
#define MILLRACE_PRODUCTS(dot) dot "%%ymm0, %%ymm2, %%ymm3\n " dot "%%ymm1, %%ymm2, %%ymm2\n "
#define MILLRACE_SUM(left, right) "vpaddd %%ymm3, " left ", " left "\n vpaddd %%ymm2, " right ", " right "\n "
#define MILLRACE_DOTS8(left, right)                                                                              \
  MILLRACE_PRODUCTS("vpmaddubsw ")                                                                               \
  "vpmaddwd %%ymm4, %%ymm3, %%ymm3\n vpmaddwd %%ymm4, %%ymm2, %%ymm2\n " MILLRACE_SUM(left, right)
#define MILLRACE_DOTS16(left, right) MILLRACE_PRODUCTS("vpmaddwd ") MILLRACE_SUM(left, right)
#endif
#define MILLRACE_SIZE MILLRACE_TEXT(MILLRACE_BYTES)
#define MILLRACE_BEGIN(row, left, right) \
  MILLRACE_MOVE MILLRACE_V(0) ", " MILLRACE_V(left) "\n " MILLRACE_MOVE MILLRACE_V(1) ", " MILLRACE_V(right) "\n "
#define MILLRACE_REPEAT(row) "vpbroadcastd 64*" #row "(%[a]), " MILLRACE_V(2) "\n "
#define MILLRACE_ROW8(row, left, right) MILLRACE_REPEAT(row) MILLRACE_DOTS8(MILLRACE_V(left), MILLRACE_V(right))
#define MILLRACE_ROW16(row, left, right) MILLRACE_REPEAT(row) MILLRACE_DOTS16(MILLRACE_V(left), MILLRACE_V(right))
#define MILLRACE_LEFT(row) "2*" MILLRACE_SIZE "*" #row "(%[to])"
#define MILLRACE_RIGHT(row) "2*" MILLRACE_SIZE "*" #row "+" MILLRACE_SIZE "(%[to])"
#define MILLRACE_PUT8(row, left, right)                              \
  MILLRACE_MOVE MILLRACE_V(left) ", " MILLRACE_LEFT(row) "\n "       \
  MILLRACE_MOVE MILLRACE_V(right) ", " MILLRACE_RIGHT(row) "\n "
#define MILLRACE_ADD(at, sum)                                                                          \
  "vcvtdq2ps " sum ", " sum "\n vaddps " at ", " sum ", " sum "\n vmovaps " sum ", " at "\n "
#define MILLRACE_PUT16(row, left, right) \
  MILLRACE_ADD(MILLRACE_LEFT(row), MILLRACE_V(left)) MILLRACE_ADD(MILLRACE_RIGHT(row), MILLRACE_V(right))
#define MILLRACE_FETCH(i) "prefetcht0 (%[at" #i "])\n prefetcht0 64(%[at" #i "])\n add %[step" #i "], %[at" #i "]\n "
#define MILLRACE_BLOCK(ROW, PUT)                                                                            \
  asm volatile(MILLRACE_ONES                                                                                \
               MILLRACE_MOVE "(%[begin]), " MILLRACE_V(0) "\n "                                             \
               MILLRACE_MOVE MILLRACE_SIZE "(%[begin]), " MILLRACE_V(1) "\n "                               \
               MILLRACE_EACH_ROW(MILLRACE_BEGIN)                                                            \
               "1: test %[left], %[left]\n jz 2f\n dec %[left]\n "                                         \
               MILLRACE_FETCH(0) MILLRACE_FETCH(1) MILLRACE_FETCH(2)                                        \
               "2: mov $16, %k[words]\n "                                                                   \
               "3: " MILLRACE_MOVE "(%[weights]), " MILLRACE_V(0) "\n "                                     \
               MILLRACE_MOVE MILLRACE_SIZE "(%[weights]), " MILLRACE_V(1) "\n "                             \
               MILLRACE_EACH_ROW(ROW)                                                                       \
               "add $4, %[a]\n add $2*" MILLRACE_SIZE ", %[weights]\n dec %k[words]\n jnz 3b\n "           \
               "add $64*(" MILLRACE_TEXT(MILLRACE_HIGH) "-1), %[a]\n dec %[runs]\n jnz 1b\n "              \
               MILLRACE_EACH_ROW(PUT)                                                                       \
               : [a] "+r"(from.a), [weights] "+r"(from.weights), [runs] "+r"(runs), [words] "=&r"(words),   \
                 [left] "+r"(fetch.left), [at0] "+r"(fetch.at[0]), [at1] "+r"(fetch.at[1]),                 \
                 [at2] "+r"(fetch.at[2])                                                                    \
               : [begin] "r"(from.begin), [to] "r"(to), [step0] "r"(fetch.steps[0]),                        \
                 [step1] "r"(fetch.steps[1]), [step2] "r"(fetch.steps[2])                                   \
               : "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", \
                 "xmm14", "xmm15" MILLRACE_MORE_REGISTERS)

/** Adds the integers' sums over the runs of one block to `to` [kRows, kColumns], or puts whole ones there. */
template <Integers K>
void block(Operands from, size_t runs, typename SumOf<K>::Type* to, Fetch& fetch) {
  static_assert(kRows == MILLRACE_HIGH && 4 * kLanes == MILLRACE_BYTES && kRun == 16 && Fetch::kPlaces == 3,
                "the assembly counts on these");
  size_t words;
  mustBeWithin(from.a, runs * kRows * kRun * sizeof(int32_t));
  mustBeWithin(from.weights, runs * kRun * kColumns * sizeof(int32_t));
  if constexpr (K == Integers::int8)
    MILLRACE_BLOCK(MILLRACE_ROW8, MILLRACE_PUT8);
  else
    MILLRACE_BLOCK(MILLRACE_ROW16, MILLRACE_PUT16);
}
#else
inline void keep(float* to, Ints sum) { put(to, sum, false); }
inline void keep(int32_t* to, Ints sum) { memcpy(to, &sum, sizeof(sum)); }

/** Adds the integers' sums over the runs of one block to `to` [kRows, kColumns], or puts whole ones there. */
template <Integers K>
void block(Operands from, size_t runs, typename SumOf<K>::Type* to, Fetch& fetch) {
  Ints left[kRows], right[kRows];
  for (size_t r = 0; r < kRows; r++) left[r] = load(from.begin), right[r] = load(from.begin + kLanes);
  for (; runs > 0; runs--, from.a += kRows * kRun) {
    fetch.step();
#if defined(__aarch64__)
    for (size_t i = 0; i < kRun; i += 4, from.weights += 4 * kColumns) {
      Ints a[kRows];
#pragma GCC unroll 8
      for (size_t r = 0; r < kRows; r++) a[r] = load(from.a + r * kRun + i);
      dots<K, 0>(left, right, a, from.weights);
      dots<K, 1>(left, right, a, from.weights + kColumns);
      dots<K, 2>(left, right, a, from.weights + 2 * kColumns);
      dots<K, 3>(left, right, a, from.weights + 3 * kColumns);
    }
#else
    for (size_t i = 0; i < kRun; i++, from.weights += kColumns) {
      Ints w = load(from.weights), next = load(from.weights + kLanes);
#pragma GCC unroll 12
      for (size_t r = 0; r < kRows; r++) {
        Ints x = repeat(from.a[r * kRun + i]);
        left[r] = dot<K>(left[r], x, w);
        right[r] = dot<K>(right[r], x, next);
      }
    }
#endif
  }
  for (size_t r = 0; r < kRows; r++) keep(to + r * kColumns, left[r]), keep(to + r * kColumns + kLanes, right[r]);
}
#endif

/** Makes a tile [kHigh, kColumns] of sums that `block(from, runs, whole)` has in integers. */
template <size_t kHigh, typename Block>
void makeOfWhole(const IntegerProduct& p, Operands from, const Tile& tile, Block block) {
  constexpr size_t kBlock = blockOf(Integers::int8), kCount = kHigh * kColumns;
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

/** Where sums begin that take nothing back. */
alignas(64) const int32_t kNothing[kColumns] = {};

/** A tile in vectors: [kRows, kColumns]. */
template <Integers K>
struct Vectors {
  static constexpr Integers kKind = K;
  static constexpr size_t kHigh = kRows;

  void make(const IntegerProduct& p, Operands from, const Tile& tile) {
    Fetch fetch(p, tile);
    if constexpr (K == Integers::int8) {
      makeOfWhole<kRows>(p, from, tile,
                         [&](const Operands& at, size_t runs, int32_t* whole) { block<K>(at, runs, whole, fetch); });
    } else {
      constexpr size_t kBlock = blockOf(K);
      alignas(64) float sums[kRows * kColumns] = {};
      from.begin = kNothing;
      for (size_t at = 0; at < p.runs; at += kBlock) {
        size_t runs = p.runs - at < kBlock ? p.runs - at : kBlock;
        block<K>(from, runs, sums, fetch);
        from.a += runs * kRows * kRun, from.weights += runs * kRun * kColumns;
      }
      finish(p, tile, sums);
    }
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
  static constexpr size_t kHigh = 32;

  TwoByTwo() { asm volatile("ldtilecfg %0" : : "m"(kShapes)); }
  ~TwoByTwo() { _tile_release(); }

  void make(const IntegerProduct& p, Operands from, const Tile& tile) { makeOfWhole<kHigh>(p, from, tile, block); }

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
    int32_t zero = kind == Integers::int8 ? int32_t(kAdded * 0x01010101u) : 0;
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
                               kAdded, quantize, multiply};

}  // namespace MILLRACE_ISA
}  // namespace millrace
