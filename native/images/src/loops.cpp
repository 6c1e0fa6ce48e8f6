// Compiled once per instruction set: MILLRACE_ISA is the namespace. No part of the standard library is used, whose
// inline functions would be shared between instruction sets.
#include "loops.h"

#include "chunks.h"
#include "lanes.h"
#include "warp.h"

namespace millrace::images::MILLRACE_ISA {
namespace {

typedef uint32_t Four __attribute__((vector_size(16)));

constexpr int32_t HALF = 1 << (PRECISION - 1);
void across(const uint8_t* rows, size_t stride, const Taps& taps, int width, uint8_t* out, size_t outStride) {
  for (int x = 0; x < width; x++) {
    Lanes sum(HALF);
    const uint8_t* from = rows + size_t(taps.first[x]) * 3;
    for (int tap = taps.start[x], end = taps.start[x + 1]; tap < end; tap++, from += 3) {
      Four pixels = {load(from), load(from + stride), load(from + 2 * stride), load(from + 3 * stride)};
      sum.add(Bytes(pixels), taps.weights[tap]);
    }
    Four result = Four(sum.shifted(PRECISION));
    // Four bytes are stored where a pixel follows, which is then written over.
    size_t size = x + 1 < width ? 4 : 3;
    for (int row = 0; row < ROWS; row++) {
      uint32_t pixel = result[row];
      uint8_t* to = out + row * outStride + size_t(x) * 3;
      if (size == 4) __builtin_memcpy(to, &pixel, 4);
      else __builtin_memcpy(to, &pixel, 3);
    }
  }
}

inline Bytes loadBytes(const uint8_t* from) {
  Bytes bytes;
  __builtin_memcpy(&bytes, from, 16);
  return bytes;
}

inline void storeBytes(uint8_t* to, Bytes bytes) { __builtin_memcpy(to, &bytes, 16); }

void down(const uint8_t* rows, size_t stride, const int32_t* weights, int count, uint8_t* out) {
  size_t i = 0;
  for (; i + 32 <= stride; i += 32) {
    Lanes left(HALF), right(HALF);
    const uint8_t* from = rows + i;
    for (int tap = 0; tap < count; tap++, from += stride) {
      left.add(loadBytes(from), weights[tap]);
      right.add(loadBytes(from + 16), weights[tap]);
    }
    storeBytes(out + i, left.shifted(PRECISION));
    storeBytes(out + i + 16, right.shifted(PRECISION));
  }
  for (; i < stride; i++) {
    int32_t sum = HALF;
    for (int tap = 0; tap < count; tap++) sum += weights[tap] * rows[i + size_t(tap) * stride];
    out[i] = uint8_t(sum >> PRECISION);
  }
}

inline int32_t toByte(double value) {
  value = value > 0 ? value : 0;
  value = value < 255 ? value : 255;
  int32_t whole = int32_t(value);
  return whole + (value - whole >= 0.5 ? 1 : 0);
}

/** A chunk in doubles. */
void mapPixels(const ColourMap& map, int32_t* chunk) {
  const double* m = map.matrix;
  for (int i = 0; i < CHUNK; i++) {
    double r = chunk[i] & 255, g = (chunk[i] >> 8) & 255, b = (chunk[i] >> 16) & 255;
    int32_t red = toByte(m[0] * r + m[1] * g + m[2] * b + map.offset);
    int32_t green = toByte(m[3] * r + m[4] * g + m[5] * b + map.offset);
    int32_t blue = toByte(m[6] * r + m[7] * g + m[8] * b + map.offset);
    chunk[i] = red | green << 8 | blue << 16;
  }
}

/** A map of colours in floats, and how far from half a whole number a value may be that they round rightly. */
struct QuickMap {
  float matrix[9], offset;
  float most;

  explicit QuickMap(const ColourMap& map) : offset(float(map.offset)) {
    double largest = 0;
    for (int row = 0; row < 3; row++) {
      double size = __builtin_fabs(map.offset);
      for (int i = 3 * row; i < 3 * row + 3; i++) {
        matrix[i] = float(map.matrix[i]);
        size += 255 * __builtin_fabs(map.matrix[i]);
      }
      largest = size > largest ? size : largest;
    }
    // Each number, product and sum is rounded by 2^-24 of the largest that a sum may be; the last also by 2^-17.
    double error = largest * 0x1.8p-22 + 0x1p-16;
    most = error < 0.1 ? 0.5f - float(error) : 0;
  }
};

/** A chunk in floats, as `blend` does it; false where a value is too near to a half. */
inline bool mapQuickly(const QuickMap& map, const int32_t* chunk, int32_t* result) {
  int32_t nearest = 0;
  const float* m = map.matrix;
  for (int i = 0; i < CHUNK; i++) {
    float r = float(chunk[i] & 255), g = float((chunk[i] >> 8) & 255), b = float((chunk[i] >> 16) & 255);
    int32_t pixel = 0;
#pragma GCC unroll 3
    for (int c = 0; c < 3; c++) {
      float value = multiplyAdd(m[3 * c], r, multiplyAdd(m[3 * c + 1], g, multiplyAdd(m[3 * c + 2], b, map.offset)));
      value = value > 0 ? value : 0;
      value = value < 255 ? value : 255;
      pixel |= byteOf(value + 0.5f, nearest) << (8 * c);
    }
    result[i] = pixel;
  }
  return nearest < bitsOf(map.most);
}

void mapColours(const uint8_t* from, size_t count, const ColourMap& map, uint8_t* to) {
  QuickMap quick(map);
  int32_t chunk[CHUNK] = {}, result[CHUNK];
  for (size_t start = 0; start < count; start += CHUNK) {
    int size = count - start < CHUNK ? int(count - start) : CHUNK;
    unpack(from + 3 * start, size, chunk);
    bool done = quick.most > 0 && mapQuickly(quick, chunk, result);
    if (!done) mapPixels(map, chunk);
    store(done ? result : chunk, size, to + 3 * start);
  }
}

void lumas(const uint8_t* pixels, size_t count, double* out) {
  int32_t chunk[CHUNK] = {};
  unpack(pixels, int(count), chunk);
  for (int i = 0; i < CHUNK; i++)
    out[i] = 0.299 * (chunk[i] & 255) + 0.587 * ((chunk[i] >> 8) & 255) + 0.114 * ((chunk[i] >> 16) & 255);
}

void addChannels(const uint8_t* pixels, size_t count, uint64_t* sums) {
  // Of two chunks every third value is of one channel; 2^16 of them fit a sum.
  constexpr size_t WIDTH = 48, MOST = 65536;
  size_t length = 3 * count, at = 0;
  while (at + WIDTH <= length) {
    uint32_t part[WIDTH] = {};
    for (size_t i = 0; i < MOST && at + WIDTH <= length; i++, at += WIDTH)
      for (size_t k = 0; k < WIDTH; k++) part[k] += pixels[at + k];
    for (size_t k = 0; k < WIDTH; k++) sums[k % 3] += part[k];
  }
  for (; at < length; at++) sums[at % 3] += pixels[at];
}

void addPair(float* sums, const float* before, const float* after, float weight, size_t count) {
  for (size_t i = 0; i < count; i++)
    sums[i] = float(double(sums[i]) + double(weight) * (double(before[i]) + double(after[i])));
}

void widen(const uint8_t* ids, size_t count, int32_t* out, IdRange& range) {
  int32_t smallest = range.smallest, largest = range.largest;
  for (size_t i = 0; i < count; i++) {
    int32_t id = ids[i], named = id == 255 ? -1 : id;
    out[i] = id;
    smallest = id < smallest ? id : smallest;
    largest = named > largest ? named : largest;
  }
  range = {smallest, largest};
}

}  // namespace

extern const Loops table = {across, down, frameRow, warpRow, mapColours, lumas, addChannels, addPair, widen};

}  // namespace millrace::images::MILLRACE_ISA
