#pragma once
#include "loops.h"

// What the loops over RGB pixels have in common. They work on whole chunks, also where a row ends within one: with a fixed
// count none is left for a slower remainder. For loops.cpp alone, which is compiled once per instruction set.
namespace millrace::images::MILLRACE_ISA {
namespace {

/** Pixels that are worked on at once: their numbers stay in the first cache. */
constexpr int CHUNK = 32;

inline uint32_t load(const uint8_t* from) {
  uint32_t value;
  __builtin_memcpy(&value, from, 4);
  return value;
}

/** Stores pixels, of which each has its bytes in the lower three of a number. */
inline void store(const int32_t* pixels, int count, uint8_t* out) {
  for (int i = 0; i + 1 < count; i++) __builtin_memcpy(out + 3 * i, pixels + i, 4);
  __builtin_memcpy(out + 3 * (count - 1), pixels + count - 1, 3);
}

/** The pixels of a chunk, each in the lower three bytes of a number. */
inline void unpack(const uint8_t* from, int count, int32_t* pixels) {
  for (int i = 0; i + 1 < count; i++) pixels[i] = int32_t(load(from + 3 * i));
  const uint8_t* last = from + 3 * (count - 1);
  pixels[count - 1] = last[0] | last[1] << 8 | last[2] << 16;
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
