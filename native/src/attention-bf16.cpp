// Compiled for AVX512-BF16 alone: see `attentionLoops` for when it runs. No templates of the standard library here, as
// in loops.cpp.
#include "attention-bf16.h"

#include <math.h>

#include "attention-vectors.h"

namespace millrace {
namespace avx512bf16 {
namespace {

// Rows of scores that are treated at a time: they stay in the first-level cache.
constexpr size_t kRows = 16;

/**
 * The left factor of a product: pairs of neighbours along the summed dimension as one 32-bit word. Row r's pair p
 * lies at data[r·row + p·pair].
 */
struct Left {
  const uint32_t* data;
  size_t row, pair;
};

/** C [R, 16·N] = left·right over `pairs`; right [pairs, ldb] holds a pair in each word. */
template <int R, int N>
void tile(Left a, const uint32_t* b, size_t ldb, float* c, size_t ldc, size_t pairs) {
  __m512 sum[R][N];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 4
    for (int n = 0; n < N; n++) sum[r][n] = _mm512_setzero_ps();
  for (size_t p = 0; p < pairs; p++) {
    __m512i right[N];
#pragma GCC unroll 4
    for (int n = 0; n < N; n++) right[n] = _mm512_loadu_si512(b + p * ldb + size_t(n) * 16);
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      __m512bh left = (__m512bh)_mm512_set1_epi32(int(a.data[size_t(r) * a.row + p * a.pair]));
#pragma GCC unroll 4
      for (int n = 0; n < N; n++) sum[r][n] = _mm512_dpbf16_ps(sum[r][n], left, (__m512bh)right[n]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 4
    for (int n = 0; n < N; n++) _mm512_storeu_ps(c + size_t(r) * ldc + size_t(n) * 16, sum[r][n]);
}

using Tile = void (*)(Left, const uint32_t*, size_t, float*, size_t, size_t);
constexpr Tile kTiles[4][8] = {
    {tile<1, 1>, tile<2, 1>, tile<3, 1>, tile<4, 1>, tile<5, 1>, tile<6, 1>, tile<7, 1>, tile<8, 1>},
    {tile<1, 2>, tile<2, 2>, tile<3, 2>, tile<4, 2>, tile<5, 2>, tile<6, 2>, tile<7, 2>, tile<8, 2>},
    {tile<1, 3>, tile<2, 3>, tile<3, 3>, tile<4, 3>, tile<5, 3>, tile<6, 3>, tile<7, 3>, tile<8, 3>},
    {tile<1, 4>, tile<2, 4>, tile<3, 4>, tile<4, 4>, tile<5, 4>, tile<6, 4>, tile<6, 4>, tile<6, 4>},
};

/** C [rows, columns] = left·right; columns are a multiple of 16. */
void product(Left a, const uint32_t* b, size_t ldb, float* c, size_t ldc, size_t rows, size_t columns, size_t pairs) {
  size_t vectors = columns / 16, strips = (vectors + 3) / 4;
  for (size_t strip = 0, at = 0; strip < strips; strip++) {
    size_t wide = (vectors - at + strips - strip - 1) / (strips - strip), most = wide == 4 ? 6 : 8;
    for (size_t r = 0; r < rows; r += most) {
      size_t tall = rows - r < most ? rows - r : most;
      kTiles[wide - 1][tall - 1](Left{a.data + r * a.row, a.row, a.pair}, b + at * 16, ldb, c + r * ldc + at * 16,
                                 ldc, pairs);
    }
    at += wide;
  }
}

/** Rows [tokens, size] as [size/2, wide]: the right factor of x·rowsᵀ. Columns from `tokens` on are zero. */
void packTransposed(const uint16_t* rows, size_t tokens, size_t size, size_t stride, uint32_t* to, size_t wide) {
  size_t pairs = size / 2;
  for (size_t t = 0; t < wide; t += 16)
    for (size_t p = 0; p < pairs; p += 16) {
      __m512i block[16];
      for (size_t i = 0; i < 16; i++)
        block[i] = t + i < tokens ? _mm512_maskz_loadu_epi32(first(pairs - p), rows + (t + i) * stride + 2 * p)
                                  : _mm512_setzero_si512();
      transposeWords(block);
      for (size_t j = 0; j < 16 && p + j < pairs; j++) _mm512_storeu_si512(to + (p + j) * wide + t, block[j]);
    }
}

/** Rows [tokens, size] as [tokens/2, wide], two rows in a word: the right factor of x·rows. */
void packRows(const uint16_t* rows, size_t tokens, size_t size, size_t stride, uint32_t* to, size_t wide) {
  for (size_t t = 0; t < tokens; t += 2, to += wide) {
    const uint16_t *even = rows + t * stride, *odd = even + stride;
    bool both = t + 1 < tokens;
#pragma omp simd
    for (size_t i = 0; i < size; i++) to[i] = uint32_t(even[i]) | (both ? uint32_t(odd[i]) << 16 : 0u);
    for (size_t i = size; i < wide; i++) to[i] = 0;
  }
}

void narrowInto(const float* x, size_t ldx, uint16_t* y, size_t stride, size_t rows, size_t n) {
  for (size_t r = 0; r < rows; r++)
    for (size_t i = 0; i < n; i += 16) {
      __m256i narrowed = (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x + r * ldx + i));
      _mm256_mask_storeu_epi16(y + r * stride + i, first(n - i), narrowed);
    }
}

struct Sizes {
  /** Tokens and numbers rounded up to whole vectors. */
  size_t wide, deep;
  size_t pairs;
  Sizes(size_t tokens, size_t size) : wide(roundUp(tokens, 16)), deep(roundUp(size, 16)), pairs((tokens + 1) / 2) {}
};

size_t scratch(size_t tokens, size_t size) {
  Sizes s(tokens, size);
  size_t words = 2 * size / 2 * s.wide          // K and V, transposed
                 + 3 * s.pairs * s.deep         // K, Q and dY by rows
                 + 2 * s.pairs * s.wide         // P and dS in pairs
                 + (tokens + 1) * s.wide / 2 + s.wide  // dS by rows
                 + 2 * kRows * s.wide           // scores and their gradient
                 + tokens * s.deep;             // a result
  return words * 4 + 16 * 64;
}

void forward(const AttentionHead& h, uint16_t* y, float* logSum, void* memory) {
  Sizes s(h.tokens, h.size);
  Room room{(char*)memory};
  auto* k = room.take<uint32_t>(h.size / 2 * s.wide);
  auto* v = room.take<uint32_t>(s.pairs * s.deep);
  auto* scores = room.take<float>(kRows * s.wide);
  auto* weights = room.take<uint16_t>(kRows * s.wide);
  auto* result = room.take<float>(kRows * s.deep);
  packTransposed(h.k, h.tokens, h.size, h.stride, k, s.wide);
  packRows(h.v, h.tokens, h.size, h.stride, v, s.deep);
  for (size_t from = 0; from < h.tokens; from += kRows) {
    size_t rows = h.tokens - from < kRows ? h.tokens - from : kRows;
    Left q{(const uint32_t*)(h.q + from * h.stride), h.stride / 2, 1};
    product(q, k, s.wide, scores, s.wide, rows, s.wide, h.size / 2);
    float factor[kRows];
    for (size_t r = 0; r < rows; r++) {
      const float* row = scores + r * s.wide;
      uint16_t* weight = weights + r * s.wide;
      __m512 highest = _mm512_set1_ps(-INFINITY), total = _mm512_setzero_ps();
      for (size_t i = 0; i < s.wide; i += 16)
        highest = _mm512_mask_max_ps(highest, first(h.tokens - i), _mm512_loadu_ps(row + i), highest);
      float most = _mm512_reduce_max_ps(highest);
      __m512 steep = _mm512_set1_ps(h.scale * kLog2e), shift = _mm512_set1_ps(most * (h.scale * kLog2e));
      for (size_t i = 0; i < s.wide; i += 16) {
        __m512 e = powerOfTwo(_mm512_fmsub_ps(_mm512_loadu_ps(row + i), steep, shift));
        e = _mm512_maskz_mov_ps(first(h.tokens - i), e);
        total = _mm512_add_ps(total, e);
        _mm256_storeu_si256((__m256i*)(weight + i), (__m256i)_mm512_cvtneps_pbh(e));
      }
      float sum = _mm512_reduce_add_ps(total);
      factor[r] = 1.f / sum;
      logSum[from + r] = most * h.scale + logf(sum);
    }
    Left p{(const uint32_t*)weights, s.wide / 2, 1};
    product(p, v, s.deep, result, s.deep, rows, s.deep, s.pairs);
    for (size_t r = 0; r < rows; r++) {
#pragma omp simd
      for (size_t i = 0; i < s.deep; i++) result[r * s.deep + i] *= factor[r];
    }
    narrowInto(result, s.deep, y + from * h.stride, h.stride, rows, h.size);
  }
}

void backward(const AttentionHead& h, const uint16_t* dy, const float* logSum, uint16_t* dq, uint16_t* dk,
              uint16_t* dv, void* memory) {
  Sizes s(h.tokens, h.size);
  Room room{(char*)memory};
  auto* kt = room.take<uint32_t>(h.size / 2 * s.wide);
  auto* vt = room.take<uint32_t>(h.size / 2 * s.wide);
  auto* k = room.take<uint32_t>(s.pairs * s.deep);
  auto* q = room.take<uint32_t>(s.pairs * s.deep);
  auto* d = room.take<uint32_t>(s.pairs * s.deep);
  auto* p = room.take<uint32_t>(s.pairs * s.wide);
  auto* ds = room.take<uint32_t>(s.pairs * s.wide);
  auto* dsRows = room.take<uint16_t>((h.tokens + 1) * s.wide);
  auto* scores = room.take<float>(kRows * s.wide);
  auto* slopes = room.take<float>(kRows * s.wide);
  auto* result = room.take<float>(h.tokens * s.deep);
  packTransposed(h.k, h.tokens, h.size, h.stride, kt, s.wide);
  packTransposed(h.v, h.tokens, h.size, h.stride, vt, s.wide);
  packRows(h.k, h.tokens, h.size, h.stride, k, s.deep);
  packRows(h.q, h.tokens, h.size, h.stride, q, s.deep);
  packRows(dy, h.tokens, h.size, h.stride, d, s.deep);
  for (size_t from = 0; from < h.tokens; from += kRows) {
    size_t rows = h.tokens - from < kRows ? h.tokens - from : kRows;
    Left qRows{(const uint32_t*)(h.q + from * h.stride), h.stride / 2, 1};
    Left dRows{(const uint32_t*)(dy + from * h.stride), h.stride / 2, 1};
    product(qRows, kt, s.wide, scores, s.wide, rows, s.wide, h.size / 2);
    product(dRows, vt, s.wide, slopes, s.wide, rows, s.wide, h.size / 2);
    if (rows % 2) {
      memset(scores + rows * s.wide, 0, s.wide * sizeof(float));
      memset(slopes + rows * s.wide, 0, s.wide * sizeof(float));
    }
    __m512 steep = _mm512_set1_ps(h.scale * kLog2e), scale = _mm512_set1_ps(h.scale);
    float dots[kRows + 1];
    dots[rows] = 0;
    for (size_t r = 0; r < rows; r++) {
      float *row = scores + r * s.wide, *slope = slopes + r * s.wide;
      __m512 shift = _mm512_set1_ps(logSum[from + r] * kLog2e), dot = _mm512_setzero_ps();
      for (size_t i = 0; i < s.wide; i += 16) {
        __m512 e = powerOfTwo(_mm512_fmsub_ps(_mm512_loadu_ps(row + i), steep, shift));
        e = _mm512_maskz_mov_ps(first(h.tokens - i), e);
        dot = _mm512_fmadd_ps(e, _mm512_loadu_ps(slope + i), dot);
        _mm512_storeu_ps(row + i, e);
      }
      dots[r] = _mm512_reduce_add_ps(dot);
    }
    for (size_t r = 0; r < rows; r += 2) {
      const float *row = scores + r * s.wide, *slope = slopes + r * s.wide;
      __m512 even = _mm512_set1_ps(dots[r]), odd = _mm512_set1_ps(dots[r + 1]);
      uint32_t *pTo = p + (from + r) / 2 * s.wide, *dsTo = ds + (from + r) / 2 * s.wide;
      uint16_t* rowsTo = dsRows + (from + r) * s.wide;
      for (size_t i = 0; i < s.wide; i += 16) {
        __m512 p0 = _mm512_loadu_ps(row + i), p1 = _mm512_loadu_ps(row + s.wide + i);
        __m512 d0 = _mm512_mul_ps(_mm512_mul_ps(p0, scale), _mm512_sub_ps(_mm512_loadu_ps(slope + i), even));
        __m512 d1 = _mm512_mul_ps(_mm512_mul_ps(p1, scale), _mm512_sub_ps(_mm512_loadu_ps(slope + s.wide + i), odd));
        _mm512_storeu_si512(pTo + i, paired((__m512i)_mm512_cvtne2ps_pbh(p1, p0)));
        __m512i both = (__m512i)_mm512_cvtne2ps_pbh(d1, d0);
        _mm512_storeu_si512(dsTo + i, paired(both));
        _mm256_storeu_si256((__m256i*)(rowsTo + i), _mm512_castsi512_si256(both));
        _mm256_storeu_si256((__m256i*)(rowsTo + s.wide + i), _mm512_extracti64x4_epi64(both, 1));
      }
    }
  }
  auto finish = [&](Left left, const uint32_t* right, uint16_t* to) {
    product(left, right, s.deep, result, s.deep, h.tokens, s.deep, s.pairs);
    narrowInto(result, s.deep, to, h.stride, h.tokens, h.size);
  };
  finish(Left{(const uint32_t*)dsRows, s.wide / 2, 1}, k, dq);
  finish(Left{ds, 1, s.wide}, q, dk);
  finish(Left{p, 1, s.wide}, d, dv);
}

}  // namespace

extern const AttentionLoops table;
const AttentionLoops table = {"avx512bf16", scratch, forward, backward};

}  // namespace avx512bf16
}  // namespace millrace
