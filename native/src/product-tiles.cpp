// Compiled for AMX alone: see `productTiles` for when it runs. No templates of the standard library here, as in
// loops.cpp.
#include "product-tiles.h"

#include "amx-tiles.h"

namespace millrace {
namespace amxbf16 {
namespace {

// A tile of a result is 2 × 2 registers, which with two of each factor are all that there are.
constexpr size_t kSide = 32;
// Steps of 32 along the summed dimension that are treated at a time: the right factor of them stays in the first-level cache.
constexpr size_t kSteps = 18;

size_t stepsOf(size_t k) { return (k + 31) / 32; }
size_t bytes(size_t k, size_t n) { return (n + kSide - 1) / kSide * stepsOf(k) * 2 * sizeof(Tile); }

/** [columns/32, steps, 2] tiles. */
void pack(const Factor& b, size_t k, size_t n, TileRange columns, void* memory) {
  size_t steps = stepsOf(k);
  bool transposed = b.column != 1;
  Rows rows = transposed ? Rows{b.data, b.bf16, n, k, b.column} : Rows{b.data, b.bf16, k, n, b.row};
  for (size_t c = columns.begin; c < columns.end; c++) {
    Tile* to = (Tile*)memory + c * steps * 2;
    for (size_t s = 0; s < steps; s++, to += 2) {
      if (!transposed) {
        packPairs(rows, s * 32, c * kSide, to[0], to + 1, false);
        continue;
      }
      packRows(rows, c * kSide, s * 32, to[0], true);
      packRows(rows, c * kSide + 16, s * 32, to[1], true);
    }
  }
}

/** 16 rows of a left factor: step s begins at at + s·step, and its lines are `line` bytes apart. */
struct Lines {
  const char* at;
  size_t step, line;
};

/** Whether rows of a left factor are multiplied where they lie: whole steps of them, and whole tiles. */
bool inPlace(const TileProduct::Term& term, size_t row, size_t rows) {
  return term.a.column == 1 && term.k % 32 == 0 && row + 16 <= rows;
}

/** Lines of 16 rows from `row` on, laid out in tiles where they cannot be read in place. Moves `room` on. */
Lines linesOf(const TileProduct::Term& term, size_t row, size_t rows, Tile*& room) {
  if (inPlace(term, row, rows)) {
    size_t stride = term.a.row * 2;
    return {(const char*)term.a.data + row * stride, 64, stride};
  }
  Tile* to = room;
  size_t steps = stepsOf(term.k);
  room += steps;
  Rows x{term.a.data, true, rows, term.k, term.a.row};
  for (size_t s = 0; s < steps; s++) packRows(x, row, s * 32, to[s], false);
  return {to->lines[0], sizeof(Tile), 64};
}

/** Both lines of a tile of a result from `row` on. Lines that there are no rows for repeat others, and are not stored. */
void linesOf(const TileProduct::Term& term, size_t row, size_t rows, Tile*& room, Lines lines[2]) {
  if (term.a.column == 1) {
    lines[0] = linesOf(term, row, rows, room);
    lines[1] = row + 16 < rows ? linesOf(term, row + 16, rows, room) : lines[0];
    return;
  }
  size_t steps = stepsOf(term.k);
  Rows x{term.a.data, true, term.k, rows, term.a.column};
  for (size_t s = 0; s < steps; s++) packPairs(x, s * 32, row, room[s], &room[steps + s], true);
  for (size_t i = 0; i < 2; i++) lines[i] = {room[i * steps].lines[0], sizeof(Tile), 64};
  room += 2 * steps;
}

size_t scratch(const TileProduct& p, TileRange rows) {
  size_t tiles = 0, tall = rows.end - rows.begin;
  for (size_t t = 0; t < p.termCount; t++) {
    const TileProduct::Term& term = p.terms[t];
    // All rows, or the last ones.
    size_t laid = inPlace(term, 0, 16) ? 2 : 2 * tall;
    tiles += laid * stepsOf(term.k);
  }
  // Those and their places, and results.
  return (tiles + 4 * tall) * sizeof(Tile) + (2 * tall * p.termCount * sizeof(Lines) + 63) / 64 * 64;
}

/** Begins 32 × 32 sums, at zero or with what is there. */
inline void begin(const Tile* sums, bool add) {
  if (!add) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    return;
  }
  LOAD_TILE(0, sums[0]);
  LOAD_TILE(1, sums[1]);
  LOAD_TILE(2, sums[2]);
  LOAD_TILE(3, sums[3]);
}

inline void addSteps(Lines a, Lines below, const Tile* b, size_t steps) {
  for (size_t s = 0; s < steps; s++) {
    LOAD_TILE(6, b[2 * s]);
    _tile_loadd(4, a.at + s * a.step, a.line);
    _tile_dpbf16ps(0, 4, 6);
    LOAD_TILE(7, b[2 * s + 1]);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, below.at + s * below.step, below.line);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
}

inline void end(Tile* sums) {
  STORE_TILE(0, sums[0]);
  STORE_TILE(1, sums[1]);
  STORE_TILE(2, sums[2]);
  STORE_TILE(3, sums[3]);
}

/** Adds bias and y to 32 × 32 sums, and stores them. */
void finish(const TileProduct& p, const Tile* sums, size_t row, size_t column) {
  size_t rows = p.rows - row < kSide ? p.rows - row : kSide, columns = p.columns - column;
  __mmask16 left = first(columns), right = columns > 16 ? first(columns - 16) : (__mmask16)0;
  __m512 bias = _mm512_setzero_ps(), next = bias;
  if (p.bias) {
    bias = _mm512_maskz_loadu_ps(left, p.bias + column);
    next = _mm512_maskz_loadu_ps(right, p.bias + column + 16);
  }
  size_t line = row / p.pitch * p.kept, place = row % p.pitch;
  for (size_t r = 0; r < rows; r++) {
    if (place < p.kept) {
      const Tile* tile = sums + r / 16 * 2;
      __m512 a = _mm512_add_ps(numbers(tile[0], r % 16), bias), b = _mm512_add_ps(numbers(tile[1], r % 16), next);
      size_t at = (line + place) * p.y.stride + column;
      float* wide = (float*)p.y.data + at;
      if (p.accumulate) {
        a = _mm512_add_ps(a, _mm512_maskz_loadu_ps(left, wide));
        b = _mm512_add_ps(b, _mm512_maskz_loadu_ps(right, wide + 16));
      }
      if (p.y.bf16) {
        _mm512_mask_storeu_epi16((uint16_t*)p.y.data + at, first32(columns), narrowed(a, b));
      } else {
        _mm512_mask_storeu_ps(wide, left, a);
        _mm512_mask_storeu_ps(wide + 16, right, b);
      }
    }
    if (++place == p.pitch) line += p.kept, place = 0;
  }
}

/** A place along the sum: a step of a term. */
struct Step {
  size_t term, step;
};

void multiply(const TileProduct& p, TileRange rows, TileRange columns, void* memory) {
  size_t tall = rows.end - rows.begin, total = 0;
  Tile *sums = (Tile*)memory, *room = sums + 4 * tall;
  Lines* places = (Lines*)room;
  room = (Tile*)((char*)room + roundUp(2 * tall * p.termCount * sizeof(Lines), 64));
  for (size_t t = 0; t < p.termCount; t++) {
    total += stepsOf(p.terms[t].k);
    for (size_t r = 0; r < tall; r++)
      linesOf(p.terms[t], (rows.begin + r) * kSide, p.rows, room, places + (t * tall + r) * 2);
  }
  configure();
  size_t parts = (total + kSteps - 1) / kSteps, part = (total + parts - 1) / parts;
  for (size_t c = columns.begin; c < columns.end; c++) {
    Step from = {0, 0};
    for (size_t done = 0; done < total; done += part) {
      Step to = from;
      for (size_t r = 0; r < tall; r++) {
        to = from;
        begin(sums + 4 * r, done > 0);
        for (size_t left = part; left > 0 && to.term < p.termCount;) {
          const TileProduct::Term& term = p.terms[to.term];
          size_t steps = stepsOf(term.k), count = steps - to.step < left ? steps - to.step : left;
          Lines above = places[(to.term * tall + r) * 2], below = places[(to.term * tall + r) * 2 + 1];
          above.at += to.step * above.step, below.at += to.step * below.step;
          addSteps(above, below, (const Tile*)term.b + (c * steps + to.step) * 2, count);
          left -= count, to.step += count;
          if (to.step == steps) to = {to.term + 1, 0};
        }
        end(sums + 4 * r);
        if (to.term == p.termCount) finish(p, sums + 4 * r, (rows.begin + r) * kSide, c * kSide);
      }
      from = to;
    }
  }
  _tile_release();
}

}  // namespace

extern const ProductTiles products;
const ProductTiles products = {kSide, bytes, pack, scratch, multiply};

}  // namespace amxbf16
}  // namespace millrace
