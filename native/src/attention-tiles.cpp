// Compiled for AMX alone: see `attentionLoops` for when it runs. No templates of the standard library here, as in
// loops.cpp.
#include "amx-tiles.h"
#include "approximations.h"
#include "attention-bf16.h"

namespace millrace {
namespace amxbf16 {
namespace {

/** Tiles of a factor: that of line l and step s along the summed dimension is at[l·line + s·step]. */
struct TileFactor {
  const Tile* at;
  size_t line, step;
};

/** Tiles of a result: that of row r and column c is at[r·row + c·column]. */
struct Result {
  Tile* at;
  size_t row, column;
};

/** R × N tiles of a product, added to what is there or not. */
template <int R, int N, bool Add>
inline void block(TileFactor a, TileFactor b, size_t steps, Result c) {
  if constexpr (Add) {
    LOAD_TILE(0, c.at[0]);
    if constexpr (N > 1) { LOAD_TILE(1, c.at[c.column]); }
    if constexpr (R > 1) { LOAD_TILE(2, c.at[c.row]); }
    if constexpr (R > 1 && N > 1) { LOAD_TILE(3, c.at[c.row + c.column]); }
  } else {
    _tile_zero(0);
    if constexpr (N > 1) _tile_zero(1);
    if constexpr (R > 1) _tile_zero(2);
    if constexpr (R > 1 && N > 1) _tile_zero(3);
  }
  for (size_t s = 0; s < steps; s++) {
    const Tile *left = a.at + s * a.step, *right = b.at + s * b.step;
    LOAD_TILE(4, left[0]);
    LOAD_TILE(6, right[0]);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (N > 1) {
      LOAD_TILE(7, right[b.line]);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (R > 1) {
      LOAD_TILE(5, left[a.line]);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (N > 1) _tile_dpbf16ps(3, 5, 7);
    }
  }
  STORE_TILE(0, c.at[0]);
  if constexpr (N > 1) { STORE_TILE(1, c.at[c.column]); }
  if constexpr (R > 1) { STORE_TILE(2, c.at[c.row]); }
  if constexpr (R > 1 && N > 1) { STORE_TILE(3, c.at[c.row + c.column]); }
}

/** `rows` × `columns` tiles of a product. */
template <bool Add>
void product(TileFactor a, TileFactor b, size_t steps, Result c, size_t rows, size_t columns) {
  for (size_t n = 0; n < columns; n += 2)
    for (size_t r = 0; r < rows; r += 2) {
      TileFactor left{a.at + r * a.line, a.line, a.step}, right{b.at + n * b.line, b.line, b.step};
      Result result{c.at + r * c.row + n * c.column, c.row, c.column};
      bool tall = r + 1 < rows, wide = n + 1 < columns;
      if (tall && wide) block<2, 2, Add>(left, right, steps, result);
      else if (tall) block<2, 1, Add>(left, right, steps, result);
      else if (wide) block<1, 2, Add>(left, right, steps, result);
      else block<1, 1, Add>(left, right, steps, result);
    }
}

/** Tiles [rows/16, size/32]: x as the left factor of x·y or, transposed, the right one of y·xᵀ. */
void packAllRows(const Rows& x, Tile* to, bool transposed) {
  for (size_t r = 0; r < x.count; r += 16)
    for (size_t i = 0; i < x.size; i += 32) packRows(x, r, i, *to++, transposed);
}

/** Tiles [rows/32, size/16], in words of two rows: x as the right factor of y·x or, transposed, the left one of xᵀ·y. */
void packAllPairs(const Rows& x, Tile* to, bool transposed) {
  for (size_t r = 0; r < x.count; r += 32)
    for (size_t i = 0; i < x.size; i += 32) {
      bool two = i + 16 < x.size;
      packPairs(x, r, i, to[0], two ? to + 1 : nullptr, transposed);
      to += two ? 2 : 1;
    }
}

struct Sizes {
  /** Tiles along tokens and numbers, where these are lines or columns (16) and where they are summed (32). */
  size_t strips, steps, narrow, deep;
  /** How many steps of queries are treated before their part of dk and dv is added: what is kept of them stays in the second-level cache. */
  size_t group;

  Sizes(size_t tokens, size_t size)
      : strips((tokens + 15) / 16), steps((tokens + 31) / 32), narrow((size + 15) / 16), deep((size + 31) / 32) {
    size_t most = 224 / strips;
    group = most < 1 ? 1 : most < steps ? most : steps;
  }
};

size_t scratch(size_t tokens, size_t size) {
  Sizes s(tokens, size);
  size_t tiles = 4 * s.strips * s.deep          // q, k, v and dy by rows
                 + 3 * s.steps * s.narrow       // k, q and dy in pairs
                 + 2 * s.group * s.strips       // weights and their slopes in pairs
                 + 2 * s.strips * s.narrow      // dk and dv, transposed
                 + 4 * s.strips                 // scores and their gradient
                 + 2 * s.steps + 2 * s.narrow;  // weights or slopes by rows, and a result
  return tiles * sizeof(Tile) + 64;
}

/** Rows of results in f32 tiles [columns, 2], times a factor each, to `count` rows of bf16. */
void store(const Tile* tiles, const float* factors, Sizes s, size_t size, size_t count, uint16_t* to, size_t stride) {
  for (size_t r = 0; r < count; r++)
    for (size_t c = 0; c < s.narrow; c += 2) {
      __m512 factor = _mm512_set1_ps(factors[r]);
      const Tile* tile = tiles + 2 * c + r / 16;
      __m512 low = _mm512_mul_ps(numbers(tile[0], r % 16), factor);
      __m512 high = c + 1 < s.narrow ? _mm512_mul_ps(numbers(tile[2], r % 16), factor) : _mm512_setzero_ps();
      size_t n = size - 16 * c;
      _mm512_mask_storeu_epi16(to + r * stride + 16 * c, first32(n),
                               narrowed(low, high));
    }
}

void forward(const AttentionHead& h, uint16_t* y, float* logSum, void* memory) {
  Sizes s(h.tokens, h.size);
  Room room{(char*)memory};
  Tile *q = room.take<Tile>(s.strips * s.deep), *k = room.take<Tile>(s.strips * s.deep);
  Tile* v = room.take<Tile>(s.steps * s.narrow);
  Tile *scores = room.take<Tile>(2 * s.strips), *weights = room.take<Tile>(2 * s.steps);
  Tile* result = room.take<Tile>(2 * s.narrow);
  packAllRows({h.q, true, h.tokens, h.size, h.stride}, q, false);
  packAllRows({h.k, true, h.tokens, h.size, h.stride}, k, true);
  packAllPairs({h.v, true, h.tokens, h.size, h.stride}, v, false);
  configure();
  const __mmask16 last = first(h.tokens - 16 * (s.strips - 1));
  const __m512 steep = _mm512_set1_ps(h.scale * kLog2e), none = _mm512_set1_ps(-INFINITY);
  for (size_t from = 0; from < s.strips; from += 2) {
    size_t tall = s.strips - from < 2 ? 1 : 2;
    product<false>({q + from * s.deep, s.deep, 1}, {k, s.deep, 1}, s.deep, {scores, 1, 2}, tall, s.strips);
    alignas(64) float most[32], sums[32], factors[32];
    for (size_t t = 0; t < tall; t++) {
      __m512 highest[16], total[16];
      float shift[16];
#pragma GCC unroll 16
      for (size_t i = 0; i < 16; i++)
        highest[i] = _mm512_mask_mov_ps(none, last, numbers(scores[2 * (s.strips - 1) + t], i));
      for (size_t n = 0; n + 1 < s.strips; n++)
#pragma GCC unroll 16
        for (size_t i = 0; i < 16; i++) highest[i] = _mm512_max_ps(numbers(scores[2 * n + t], i), highest[i]);
      for (size_t i = 0; i < 16; i++) {
        most[16 * t + i] = _mm512_reduce_max_ps(highest[i]);
        shift[i] = most[16 * t + i] * (h.scale * kLog2e);
        total[i] = _mm512_setzero_ps();
      }
      auto weigh = [&](size_t n, size_t i) {
        return powerOfTwo(_mm512_fmsub_ps(numbers(scores[2 * n + t], i), steep, _mm512_set1_ps(shift[i])));
      };
      size_t n = 0;
      for (; n + 2 < s.strips; n += 2)
#pragma GCC unroll 16
        for (size_t i = 0; i < 16; i++) {
          __m512 a = weigh(n, i), b = weigh(n + 1, i);
          total[i] = _mm512_add_ps(total[i], _mm512_add_ps(a, b));
          put(weights[n + t], i, narrowed(a, b));
        }
      for (size_t i = 0; i < 16; i++) {
        bool two = n + 1 < s.strips;
        __m512 a = _mm512_maskz_mov_ps(two ? (__mmask16)0xffff : last, weigh(n, i));
        __m512 b = two ? _mm512_maskz_mov_ps(last, weigh(n + 1, i)) : _mm512_setzero_ps();
        sums[16 * t + i] = _mm512_reduce_add_ps(_mm512_add_ps(total[i], _mm512_add_ps(a, b)));
        put(weights[n + t], i, narrowed(a, b));
      }
    }
    size_t rows = h.tokens - 16 * from < 32 ? h.tokens - 16 * from : 32;
    float* logs = logSum + 16 * from;
#pragma omp simd
    for (size_t r = 0; r < rows; r++) {
      factors[r] = 1.f / sums[r];
      logs[r] = most[r] * h.scale + logarithm(sums[r]);
    }
    product<false>({weights, 1, 2}, {v, 1, s.narrow}, s.steps, {result, 1, 2}, tall, s.narrow);
    store(result, factors, s, h.size, rows, y + 16 * from * h.stride, h.stride);
  }
  _tile_release();
}

/** Rows from f32 tiles [columns, s.narrow] of their transposition, times a factor. */
void storeTransposed(const Tile* tiles, float factor, Sizes s, size_t size, size_t count, uint16_t* to, size_t stride) {
  __m512 times = _mm512_set1_ps(factor);
  for (size_t n = 0; n < s.strips; n++)
    for (size_t c = 0; c < s.narrow; c += 2) {
      __m512i low[16], high[16];
      for (size_t i = 0; i < 16; i++) {
        low[i] = (__m512i)numbers(tiles[n * s.narrow + c], i);
        high[i] = c + 1 < s.narrow ? (__m512i)numbers(tiles[n * s.narrow + c + 1], i) : _mm512_setzero_si512();
      }
      transposeWords(low);
      transposeWords(high);
      __mmask32 wide = first32(size - 16 * c);
      for (size_t i = 0; i < 16 && 16 * n + i < count; i++)
        _mm512_mask_storeu_epi16(to + (16 * n + i) * stride + 16 * c, wide,
                                 narrowed(_mm512_mul_ps((__m512)low[i], times), _mm512_mul_ps((__m512)high[i], times)));
    }
}

void backward(const AttentionHead& h, const uint16_t* dy, const float* logSum, uint16_t* dq, uint16_t* dk,
              uint16_t* dv, void* memory) {
  Sizes s(h.tokens, h.size);
  Room room{(char*)memory};
  size_t byRows = s.strips * s.deep, inPairs = s.steps * s.narrow;
  Tile *q = room.take<Tile>(byRows), *d = room.take<Tile>(byRows);
  Tile *kt = room.take<Tile>(byRows), *vt = room.take<Tile>(byRows), *k = room.take<Tile>(inPairs);
  Tile *qt = room.take<Tile>(inPairs), *dt = room.take<Tile>(inPairs);
  Tile *p = room.take<Tile>(s.group * s.strips), *ds = room.take<Tile>(s.group * s.strips);
  Tile *dkt = room.take<Tile>(s.strips * s.narrow), *dvt = room.take<Tile>(s.strips * s.narrow);
  Tile *scores = room.take<Tile>(2 * s.strips), *slopes = room.take<Tile>(2 * s.strips);
  Tile *dsRows = room.take<Tile>(2 * s.steps), *result = room.take<Tile>(2 * s.narrow);
  auto of = [&](const uint16_t* at) { return Rows{at, true, h.tokens, h.size, h.stride}; };
  packAllRows(of(h.q), q, false);
  packAllRows(of(dy), d, false);
  packAllRows(of(h.k), kt, true);
  packAllRows(of(h.v), vt, true);
  packAllPairs(of(h.k), k, false);
  packAllPairs(of(h.q), qt, true);
  packAllPairs(of(dy), dt, true);
  configure();
  const __mmask16 last = first(h.tokens - 16 * (s.strips - 1));
  const __m512 steep = _mm512_set1_ps(h.scale * kLog2e);
  float scales[32];
  for (float& scale : scales) scale = h.scale;
  for (size_t step = 0; step < s.steps; step++) {
    size_t from = 2 * step, tall = s.strips - from < 2 ? 1 : 2, place = step % s.group;
    size_t count = h.tokens - 16 * from < 32 ? h.tokens - 16 * from : 32;
    float shift[32];
    __m512 dots[32];
    for (size_t r = 0; r < 32; r++) {
      shift[r] = r < count ? logSum[16 * from + r] * kLog2e : 0.f;
      dots[r] = _mm512_setzero_ps();
    }
    // P = e^(scale·s − logSum), and Σ P∘dP of each row
    for (size_t n = 0; n < s.strips; n += 2) {
      size_t wide = s.strips - n < 2 ? 1 : 2;
      product<false>({q + from * s.deep, s.deep, 1}, {kt + n * s.deep, s.deep, 1}, s.deep, {scores + 2 * n, 1, 2}, tall,
                     wide);
      product<false>({d + from * s.deep, s.deep, 1}, {vt + n * s.deep, s.deep, 1}, s.deep, {slopes + 2 * n, 1, 2}, tall,
                     wide);
      for (size_t m = n; m < n + wide; m++) {
        __mmask16 there = m + 1 < s.strips ? (__mmask16)0xffff : last;
        for (size_t t = 0; t < tall; t++)
#pragma GCC unroll 16
          for (size_t i = 0; i < 16; i++) {
            Tile& score = scores[2 * m + t];
            __m512 x = _mm512_fmsub_ps(numbers(score, i), steep, _mm512_set1_ps(shift[16 * t + i]));
            __m512 e = _mm512_maskz_mov_ps(there, powerOfTwo(x));
            dots[16 * t + i] = _mm512_fmadd_ps(e, numbers(slopes[2 * m + t], i), dots[16 * t + i]);
            put(score, i, e);
          }
      }
    }
    float dot[32];
    for (size_t r = 0; r < 16 * tall; r++) dot[r] = _mm512_reduce_add_ps(dots[r]);
    // dS = P∘(dP − ΣP∘dP), its factor `scale` left for the end
    for (size_t n = 0; n < s.strips; n += 2) {
      bool two = n + 1 < s.strips;
      Tile *pTo = p + place * s.strips + n, *dsTo = ds + place * s.strips + n;
      for (size_t t = 0; t < tall; t++)
#pragma GCC unroll 8
        for (size_t i = 0; i < 16; i += 2) {
          __m512 even = _mm512_set1_ps(dot[16 * t + i]), odd = _mm512_set1_ps(dot[16 * t + i + 1]);
          const Tile &score = scores[2 * n + t], &slope = slopes[2 * n + t];
          __m512 p0 = numbers(score, i), p1 = numbers(score, i + 1);
          __m512 d0 = _mm512_mul_ps(p0, _mm512_sub_ps(numbers(slope, i), even));
          __m512 d1 = _mm512_mul_ps(p1, _mm512_sub_ps(numbers(slope, i + 1), odd));
          __m512 e0 = _mm512_setzero_ps(), e1 = e0;
          put(pTo[0], 8 * t + i / 2, paired(narrowed(p0, p1)));
          put(dsTo[0], 8 * t + i / 2, paired(narrowed(d0, d1)));
          if (two) {
            const Tile &score = scores[2 * n + 2 + t], &slope = slopes[2 * n + 2 + t];
            p0 = numbers(score, i), p1 = numbers(score, i + 1);
            e0 = _mm512_mul_ps(p0, _mm512_sub_ps(numbers(slope, i), even));
            e1 = _mm512_mul_ps(p1, _mm512_sub_ps(numbers(slope, i + 1), odd));
            put(pTo[1], 8 * t + i / 2, paired(narrowed(p0, p1)));
            put(dsTo[1], 8 * t + i / 2, paired(narrowed(e0, e1)));
          }
          put(dsRows[n + t], i, narrowed(d0, e0));
          put(dsRows[n + t], i + 1, narrowed(d1, e1));
        }
      if (tall == 1)
        for (size_t i = 8; i < 16; i++)
          for (size_t m = 0; m < 1 + size_t(two); m++)
            put(pTo[m], i, _mm512_setzero_si512()), put(dsTo[m], i, _mm512_setzero_si512());
    }
    product<false>({dsRows, 1, 2}, {k, 1, s.narrow}, s.steps, {result, 1, 2}, tall, s.narrow);
    store(result, scales, s, h.size, count, dq + 16 * from * h.stride, h.stride);
    if (place + 1 < s.group && step + 1 < s.steps) continue;
    // dVᵀ += dYᵀ·P, dKᵀ += Qᵀ·dS
    size_t start = step - place;
    auto add = [&](const Tile* left, const Tile* right, Tile* to) {
      TileFactor a{left + start * s.narrow, 1, s.narrow}, b{right, 1, s.strips};
      Result c{to, 1, s.narrow};
      start == 0 ? product<false>(a, b, place + 1, c, s.narrow, s.strips)
                 : product<true>(a, b, place + 1, c, s.narrow, s.strips);
    };
    add(dt, p, dvt);
    add(qt, ds, dkt);
  }
  _tile_release();
  storeTransposed(dkt, h.scale, s, h.size, h.tokens, dk, h.stride);
  storeTransposed(dvt, 1, s, h.size, h.tokens, dv, h.stride);
}

}  // namespace

extern const AttentionLoops table;
const AttentionLoops table = {"amxbf16", scratch, forward, backward};

}  // namespace amxbf16
}  // namespace millrace
