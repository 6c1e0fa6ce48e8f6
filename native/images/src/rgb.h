#pragma once
#include <cstdint>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

// Chunks of RGB bytes to numbers of one pixel each and back, on each instruction set: compilers take three bytes at a time
// apart. For loops.cpp alone, which is compiled once per instruction set.
namespace millrace::images::MILLRACE_ISA {
namespace {

/** Pixels that are worked on at once: their numbers stay in the first cache. */
constexpr int CHUNK = 32;

#if defined(__AVX512BW__)

inline __m512i inEachQuarter(__m128i bytes) { return _mm512_broadcast_i32x4(bytes); }

inline void unpackChunk(const uint8_t* from, int32_t* pixels) {
  const __m512i words = _mm512_setr_epi32(0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0);
  const __m512i bytes = inEachQuarter(_mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
  for (int i = 0; i < CHUNK; i += 16) {
    __m512i packed = _mm512_maskz_loadu_epi32(0xfff, from + 3 * i);
    _mm512_storeu_si512(pixels + i, _mm512_shuffle_epi8(_mm512_permutexvar_epi32(words, packed), bytes));
  }
}

inline void storeChunk(const int32_t* pixels, uint8_t* out) {
  const __m512i words = _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15);
  const __m512i bytes = inEachQuarter(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
  for (int i = 0; i < CHUNK; i += 16) {
    __m512i packed = _mm512_shuffle_epi8(_mm512_loadu_si512(pixels + i), bytes);
    _mm512_mask_storeu_epi32(out + 3 * i, 0xfff, _mm512_permutexvar_epi32(words, packed));
  }
}

#elif defined(__AVX2__)

inline void unpackChunk(const uint8_t* from, int32_t* pixels) {
  // Eight pixels are 24 bytes: the first 16, and the last 16.
  const __m256i bytes = _mm256_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1,  //
                                         4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15, -1);
  for (int i = 0; i < CHUNK; i += 8) {
    const __m128i* at = reinterpret_cast<const __m128i*>(from + 3 * i);
    const __m128i* end = reinterpret_cast<const __m128i*>(from + 3 * i + 8);
    __m256i packed = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(at)), _mm_loadu_si128(end), 1);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(pixels + i), _mm256_shuffle_epi8(packed, bytes));
  }
}

inline void storeChunk(const int32_t* pixels, uint8_t* out) {
  const __m256i words = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7);
  const __m256i bytes = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
  for (int i = 0; i < CHUNK; i += 8) {
    __m256i packed = _mm256_shuffle_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(pixels + i)), bytes);
    packed = _mm256_permutevar8x32_epi32(packed, words);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 3 * i), _mm256_castsi256_si128(packed));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out + 3 * i + 16), _mm256_extracti128_si256(packed, 1));
  }
}

#else

inline void unpackChunk(const uint8_t* from, int32_t* pixels) {
  for (int i = 0; i < CHUNK; i++) pixels[i] = from[3 * i] | from[3 * i + 1] << 8 | from[3 * i + 2] << 16;
}

inline void storeChunk(const int32_t* pixels, uint8_t* out) {
  for (int i = 0; i + 1 < CHUNK; i++) __builtin_memcpy(out + 3 * i, pixels + i, 4);
  __builtin_memcpy(out + 3 * (CHUNK - 1), pixels + CHUNK - 1, 3);
}

#endif

}  // namespace
}  // namespace millrace::images::MILLRACE_ISA
