#pragma once
#include <cstdint>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

// Sixteen sums of bytes times weights, on each instruction set: compilers take the conversions from bytes apart, one by one.
// For loops.cpp alone, which is compiled once per instruction set.
namespace millrace::images::MILLRACE_ISA {
namespace {

typedef uint8_t Bytes __attribute__((vector_size(16)));

#if defined(__AVX512F__)

class Lanes {
 public:
  explicit Lanes(int32_t start) : sums_(_mm512_set1_epi32(start)) {}
  void add(Bytes bytes, int32_t weight) {
    __m512i values = _mm512_cvtepu8_epi32(reinterpret_cast<__m128i>(bytes));
    sums_ = _mm512_add_epi32(sums_, _mm512_mullo_epi32(values, _mm512_set1_epi32(weight)));
  }
  /** The sums without their lower `bits`, which leaves bytes. */
  Bytes shifted(int bits) const {
    return reinterpret_cast<Bytes>(_mm512_cvtepi32_epi8(_mm512_srai_epi32(sums_, unsigned(bits))));
  }

 private:
  __m512i sums_;
};

#elif defined(__AVX2__)

class Lanes {
 public:
  explicit Lanes(int32_t start) : low_(_mm256_set1_epi32(start)), high_(low_) {}
  void add(Bytes bytes, int32_t weight) {
    __m128i from = reinterpret_cast<__m128i>(bytes);
    __m256i factor = _mm256_set1_epi32(weight);
    low_ = _mm256_add_epi32(low_, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(from), factor));
    high_ = _mm256_add_epi32(high_, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(_mm_srli_si128(from, 8)), factor));
  }
  Bytes shifted(int bits) const {
    __m256i words = _mm256_packus_epi32(_mm256_srai_epi32(low_, bits), _mm256_srai_epi32(high_, bits));
    words = _mm256_permute4x64_epi64(words, 0xd8);
    return reinterpret_cast<Bytes>(
        _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
  }

 private:
  __m256i low_, high_;
};

#else

class Lanes {
 public:
  explicit Lanes(int32_t start) {
    for (int i = 0; i < 16; i++) sums_[i] = start;
  }
  void add(Bytes bytes, int32_t weight) {
    uint8_t values[16];
    __builtin_memcpy(values, &bytes, 16);
    for (int i = 0; i < 16; i++) sums_[i] += values[i] * weight;
  }
  Bytes shifted(int bits) const {
    uint8_t values[16];
    for (int i = 0; i < 16; i++) values[i] = uint8_t(sums_[i] >> bits);
    Bytes bytes;
    __builtin_memcpy(&bytes, values, 16);
    return bytes;
  }

 private:
  int32_t sums_[16];
};

#endif

}  // namespace
}  // namespace millrace::images::MILLRACE_ISA
