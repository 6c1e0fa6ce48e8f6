#pragma once
#include "loops.h"
#include "rgb.h"

// What the loops over RGB pixels have in common. They work on whole chunks, also where a row ends within one: with a fixed
// count none is left for a slower remainder. For loops.cpp alone, which is compiled once per instruction set.
namespace millrace::images::MILLRACE_ISA {
namespace {

inline uint32_t load(const uint8_t* from) {
  uint32_t value;
  __builtin_memcpy(&value, from, 4);
  return value;
}

/** Stores pixels, of which each has its bytes in the lower three of a number. */
inline void store(const int32_t* pixels, int count, uint8_t* out) {
  if (count == CHUNK) return storeChunk(pixels, out);
  for (int i = 0; i < count; i++) __builtin_memcpy(out + 3 * i, pixels + i, 3);
}

/** Stores the uppermost bytes of pixels. */
inline void storeIds(const int32_t* pixels, int count, uint8_t* out) {
  if (count == CHUNK)
    for (int i = 0; i < CHUNK; i++) out[i] = uint8_t(uint32_t(pixels[i]) >> 24);
  else
    for (int i = 0; i < count; i++) out[i] = uint8_t(uint32_t(pixels[i]) >> 24);
}

/** The pixels of a chunk, each in the lower three bytes of a number; those beyond `count` stay as they are. */
inline void unpack(const uint8_t* from, int count, int32_t* pixels) {
  if (count == CHUNK) return unpackChunk(from, pixels);
  for (int i = 0; i < count; i++) pixels[i] = from[3 * i] | from[3 * i + 1] << 8 | from[3 * i + 2] << 16;
}

/** a · b + c, rounded once where the processor does that, else twice. */
inline float multiplyAdd(float a, float b, float c) {
#ifdef __FMA__
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

/** The bits of a float that is not negative, which are in order as the floats are. */
inline int32_t bitsOf(float value) {
  int32_t bits;
  __builtin_memcpy(&bits, &value, 4);
  return bits;
}

/** The whole part of a value from 0 to 256; `nearest` grows to how far from half a whole number any value was. */
inline int32_t byteOf(float value, int32_t& nearest) {
  int32_t whole = int32_t(value);
  int32_t off = bitsOf(__builtin_fabsf(value - float(whole) - 0.5f));
  nearest = off > nearest ? off : nearest;
  return whole;
}

}  // namespace
}  // namespace millrace::images::MILLRACE_ISA
