#pragma once
// What kernels in AMX tiles share. Included by files that are compiled for AMX: everything here stays inside each of them.
#include "attention-vectors.h"

namespace millrace {
namespace {

/**
 * What a tile register holds: 16 lines of 64 bytes, contiguous in memory. As a left factor a line is 32 bf16 of a row; as a right
 * one it holds, for 16 columns, pairs of neighbours along the summed dimension as words; as a result it is 16 f32.
 */
struct alignas(64) Tile {
  char lines[16][64];
};

inline __m512 numbers(const Tile& tile, size_t i) { return _mm512_load_ps(tile.lines[i]); }
inline void put(Tile& tile, size_t i, __m512 x) { _mm512_store_ps(tile.lines[i], x); }
inline void put(Tile& tile, size_t i, __m512i x) { _mm512_store_si512(tile.lines[i], x); }

/** To bf16, the nearest, ties to even: the numbers of `a` come first. */
inline __m512i narrowed(__m512 a, __m512 b) { return (__m512i)_mm512_cvtne2ps_pbh(b, a); }

/** All 8 registers are whole tiles. */
inline void configure() {
  struct alignas(64) {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } config = {};
  config.palette = 1;
  for (int i = 0; i < 8; i++) config.bytes[i] = 64, config.rows[i] = 16;
  _tile_loadconfig(&config);
}

// The memory clobber keeps the compiler from moving stores over what it does not know to be a load.
#define LOAD_TILE(register, tile)  \
  asm volatile("" ::: "memory"); \
  _tile_loadd(register, (tile).lines, 64)
#define STORE_TILE(register, tile)        \
  _tile_stored(register, (tile).lines, 64); \
  asm volatile("" ::: "memory")

/** The first n of 32 vector places. */
inline __mmask32 first32(size_t n) { return n < 32 ? (__mmask32)((1u << n) - 1) : ~(__mmask32)0; }

/** Rows of numbers, `stride` apart in memory, that are read as bf16. */
struct Rows {
  const void* at;
  bool bf16;
  size_t count, size, stride;

  /** 32 numbers of row r from place i; zeros where there are none. */
  __m512i load(size_t r, size_t i) const {
    if (r >= count || i >= size) return _mm512_setzero_si512();
    size_t n = size - i;
    if (bf16) return _mm512_maskz_loadu_epi16(first32(n), (const uint16_t*)at + r * stride + i);
    const float* row = (const float*)at + r * stride + i;
    __m512 high = n > 16 ? _mm512_maskz_loadu_ps(first(n - 16), row + 16) : _mm512_setzero_ps();
    return narrowed(_mm512_maskz_loadu_ps(first(n), row), high);
  }
};

/** `count` rows of 32 numbers from row r and place i on. */
inline void load(const Rows& x, size_t r, size_t i, size_t count, __m512i lines[]) {
  if (x.bf16 && r + count <= x.count && i + 32 <= x.size) {
    const uint16_t* at = (const uint16_t*)x.at + r * x.stride + i;
    for (size_t j = 0; j < count; j++) lines[j] = _mm512_loadu_si512(at + j * x.stride);
    return;
  }
  for (size_t j = 0; j < count; j++) lines[j] = x.load(r + j, i);
}

inline void fill(Tile& tile, __m512i lines[16], bool transposed) {
  if (transposed) transposeWords(lines);
  for (size_t i = 0; i < 16; i++) put(tile, i, lines[i]);
}

/** 16 rows from r on, 32 numbers from place i on: a tile of x as the left factor of x·y or, transposed, the right one of y·xᵀ. */
inline void packRows(const Rows& x, size_t r, size_t i, Tile& to, bool transposed) {
  __m512i lines[16];
  load(x, r, i, 16, lines);
  fill(to, lines, transposed);
}

/**
 * 32 rows from r on in words of two, 16 numbers from place i on and the next 16: two tiles of x as the right factor of y·x or,
 * transposed, the left one of xᵀ·y.
 */
inline void packPairs(const Rows& x, size_t r, size_t i, Tile& to, Tile* next, bool transposed) {
  __m512i rows[32], low[16], high[16];
  load(x, r, i, 32, rows);
  for (size_t j = 0; j < 16; j++) {
    __m512i even = rows[2 * j], odd = rows[2 * j + 1];
    low[j] = paired(_mm512_inserti64x4(even, _mm512_castsi512_si256(odd), 1));
    high[j] = paired(_mm512_shuffle_i64x2(even, odd, 0xee));
  }
  fill(to, low, transposed);
  if (next) fill(*next, high, transposed);
}

}  // namespace
}  // namespace millrace
