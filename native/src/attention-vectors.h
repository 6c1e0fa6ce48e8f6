#pragma once
// What attention's kernels share. Included by files that are compiled for instructions of their own: everything here
// stays inside each of them.
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

namespace millrace {
namespace {

inline size_t roundUp(size_t n, size_t step) { return (n + step - 1) / step * step; }

/** Scratch memory, handed out in 64-byte lines. */
struct Room {
  char* at;
  template <typename T>
  T* take(size_t count) {
    T* taken = (T*)at;
    at += roundUp(count * sizeof(T), 64);
    return taken;
  }
};

/** The first n of 16 vector places. */
inline __mmask16 first(size_t n) { return n < 16 ? (__mmask16)((1u << n) - 1) : (__mmask16)0xffff; }

/** 16 × 16 words: column j of what is read becomes row j. */
inline void transposeWords(__m512i r[16]) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4)
    for (int j = 0; j < 2; j++) {
      r[i + 2 * j] = _mm512_unpacklo_epi64(t[i + j], t[i + j + 2]);
      r[i + 2 * j + 1] = _mm512_unpackhi_epi64(t[i + j], t[i + j + 2]);
    }
  // Now r[4g + c] holds, in its four quarters q, column 4q + c of rows 4g to 4g + 3.
  for (int c = 0; c < 4; c++) {
    __m512i a = _mm512_shuffle_i32x4(r[c], r[4 + c], 0x88), b = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0x88);
    __m512i d = _mm512_shuffle_i32x4(r[c], r[4 + c], 0xdd), e = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0xdd);
    t[c] = _mm512_shuffle_i32x4(a, b, 0x88);
    t[8 + c] = _mm512_shuffle_i32x4(a, b, 0xdd);
    t[4 + c] = _mm512_shuffle_i32x4(d, e, 0x88);
    t[12 + c] = _mm512_shuffle_i32x4(d, e, 0xdd);
  }
  memcpy(r, t, sizeof(t));
}

/** Rows of two as words of pairs: the low halves are the even row's. */
inline __m512i paired(__m512i rows) {
  static const uint16_t kOrder[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                      8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return _mm512_permutexvar_epi16(_mm512_loadu_si512(kOrder), rows);
}

/** 2ˣ = 2ᵏ·2ʳ with k = ⌊x⌋, within 1e-7 of itself; 0 and ∞ at the ends, NaN stays. The polynomial is a minimax fit on 0 ≤ r < 1. */
inline __m512 powerOfTwo(__m512 x) {
  __m512 r = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  __m512 p = _mm512_set1_ps(1.877576695e-3f);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.989339694e-3f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.582631752e-2f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(2.401536107e-1f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(6.931530833e-1f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(9.999999404e-1f));
  return _mm512_scalef_ps(p, x);
}

constexpr float kLog2e = 1.44269504f;

}  // namespace
}  // namespace millrace
