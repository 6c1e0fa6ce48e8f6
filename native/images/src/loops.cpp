// Compiled once per instruction set: MILLRACE_ISA is the namespace. No part of the standard library is used, whose
// inline functions would be shared between instruction sets.
#include "loops.h"

#include "lanes.h"

namespace millrace::images::MILLRACE_ISA {
namespace {

typedef uint32_t Four __attribute__((vector_size(16)));

constexpr int32_t HALF = 1 << (PRECISION - 1);
/** Pixels that are worked on at once: their numbers stay in the first cache. */
constexpr int CHUNK = 64;

inline uint32_t load(const uint8_t* from) {
  uint32_t value;
  __builtin_memcpy(&value, from, 4);
  return value;
}

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

// The loops below work on whole chunks, also where a row ends within one: with a fixed count none is left for a slower
// remainder. What lies behind the end is as safe to read as what lies outside the picture, and is not stored.

/** Where the output pixels of a chunk come from. */
struct Places {
  double x[CHUNK], y[CHUNK];
  double inside[CHUNK];
};

inline void place(const Warp& warp, int x0, int y, Places& places) {
  double a = warp.map[0], by = warp.map[1] * y, c = warp.map[2];
  double d = warp.map[3], ey = warp.map[4] * y, f = warp.map[5];
  double width = warp.width, height = warp.height;
  for (int i = 0; i < CHUNK; i++) {
    double column = x0 + i;
    double x = a * column + by + c, y = d * column + ey + f;
    bool inside = (x > -1) & (x < width) & (y > -1) & (y < height);
    places.inside[i] = inside ? 1 : 0;
    places.x[i] = inside ? x : 0;
    places.y[i] = inside ? y : 0;
  }
}

inline int32_t floorOf(double x) {
  int32_t whole = int32_t(x);
  return whole - (double(whole) > x ? 1 : 0);
}

/**
 * The four pixels around each place: the offsets of the two rows, whose two pixels are read at once, and the weights, which
 * are 0 for those outside. The last pixels of the picture are read together with bytes before them, since there are none
 * after them: `skip` says how many bits those are.
 */
struct Corners {
  int32_t at[2][CHUNK];
  uint64_t skip[2][CHUNK];
  double weight[4][CHUNK];
};

inline void corner(const Warp& warp, const Places& places, Corners& corners) {
  int32_t width = warp.width, height = warp.height, last = width * height * 3 - 8;
  for (int i = 0; i < CHUNK; i++) {
    double x = places.x[i], y = places.y[i];
    int32_t left = floorOf(x), top = floorOf(y);
    double right = x - left, below = y - top;
    double inRight = left + 1 < width ? right : 0;
    // Left of the picture, the one on the right is the first of the two that are read.
    double first = left >= 0 ? 1 - right : inRight, second = left >= 0 ? inRight : 0;
    double inTop = (top >= 0 ? 1 - below : 0) * places.inside[i];
    double inBelow = (top + 1 < height ? below : 0) * places.inside[i];
    corners.weight[0][i] = inTop * first;
    corners.weight[1][i] = inTop * second;
    corners.weight[2][i] = inBelow * first;
    corners.weight[3][i] = inBelow * second;
    int32_t l = left < 0 ? 0 : left;
    int32_t t = top < 0 ? 0 : top, b = top + 1 < height ? top + 1 : height - 1;
    corners.at[0][i] = (t * width + l) * 3;
    corners.at[1][i] = (b * width + l) * 3;
  }
  for (int k = 0; k < 2; k++)
    for (int i = 0; i < CHUNK; i++) {
      int32_t at = corners.at[k][i], over = at > last ? at - last : 0;
      corners.skip[k][i] = uint64_t(8 * over);
      corners.at[k][i] = at - over;
    }
}

/** A byte of each number as a double: its bits below those of 2^52, which is then taken away. */
inline double byteAt(uint64_t bytes, int shift) {
  uint64_t bits = ((bytes >> shift) & 255) | 0x4330000000000000u;
  double value;
  __builtin_memcpy(&value, &bits, 8);
  return value - 4503599627370496.0;
}

/** Stores pixels, of which each has its bytes in the lower three of a number. */
inline void store(const int32_t* pixels, int count, uint8_t* out) {
  for (int i = 0; i + 1 < count; i++) __builtin_memcpy(out + 3 * i, pixels + i, 4);
  __builtin_memcpy(out + 3 * (count - 1), pixels + count - 1, 3);
}

void warpRow(const Warp& warp, int y, uint8_t* out) {
  Places places;
  Corners corners;
  uint64_t pixels[2][CHUNK];
  int32_t result[CHUNK];
  for (int x0 = 0; x0 < warp.width; x0 += CHUNK) {
    place(warp, x0, y, places);
    corner(warp, places, corners);
    for (int k = 0; k < 2; k++)
      for (int i = 0; i < CHUNK; i++) __builtin_memcpy(&pixels[k][i], warp.pixels + corners.at[k][i], 8);
    for (int k = 0; k < 2; k++)
      for (int i = 0; i < CHUNK; i++) pixels[k][i] >>= corners.skip[k][i];
    for (int i = 0; i < CHUNK; i++) {
      uint64_t top = pixels[0][i], bottom = pixels[1][i];
      double w0 = corners.weight[0][i], w1 = corners.weight[1][i], w2 = corners.weight[2][i], w3 = corners.weight[3][i];
      double red = 0.5 + w0 * byteAt(top, 0) + w1 * byteAt(top, 24) + w2 * byteAt(bottom, 0) + w3 * byteAt(bottom, 24);
      double green = 0.5 + w0 * byteAt(top, 8) + w1 * byteAt(top, 32) + w2 * byteAt(bottom, 8) + w3 * byteAt(bottom, 32);
      double blue = 0.5 + w0 * byteAt(top, 16) + w1 * byteAt(top, 40) + w2 * byteAt(bottom, 16) + w3 * byteAt(bottom, 40);
      result[i] = int32_t(red) | int32_t(green) << 8 | int32_t(blue) << 16;
    }
    int count = warp.width - x0 < CHUNK ? warp.width - x0 : CHUNK;
    store(result, count, out + size_t(x0) * 3);
  }
}

void warpMaskRow(const Warp& warp, int y, uint8_t* out) {
  Places places;
  int32_t at[CHUNK];
  for (int x0 = 0; x0 < warp.width; x0 += CHUNK) {
    place(warp, x0, y, places);
    for (int i = 0; i < CHUNK; i++) {
      int32_t left = floorOf(places.x[i]), top = floorOf(places.y[i]);
      int32_t x = left + (places.x[i] - left >= 0.5 ? 1 : 0), y = top + (places.y[i] - top >= 0.5 ? 1 : 0);
      bool inside = (places.inside[i] != 0) & (x >= 0) & (x < warp.width) & (y >= 0) & (y < warp.height);
      at[i] = inside ? y * warp.width + x : -1;
    }
    int count = warp.width - x0 < CHUNK ? warp.width - x0 : CHUNK;
    for (int i = 0; i < count; i++) out[x0 + i] = at[i] < 0 ? 255 : warp.pixels[at[i]];
  }
}

inline int32_t toByte(double value) {
  value = value > 0 ? value : 0;
  value = value < 255 ? value : 255;
  int32_t whole = int32_t(value);
  return whole + (value - whole >= 0.5 ? 1 : 0);
}

/** The pixels of a chunk, each in the lower three bytes of a number. */
inline void unpack(const uint8_t* from, int count, int32_t* pixels) {
  for (int i = 0; i + 1 < count; i++) pixels[i] = int32_t(load(from + 3 * i));
  const uint8_t* last = from + 3 * (count - 1);
  pixels[count - 1] = last[0] | last[1] << 8 | last[2] << 16;
}

void mapColours(uint8_t* pixels, size_t count, const ColourMap& map) {
  const double* m = map.matrix;
  int32_t chunk[CHUNK] = {};
  for (size_t start = 0; start < count; start += CHUNK) {
    int size = count - start < CHUNK ? int(count - start) : CHUNK;
    unpack(pixels + 3 * start, size, chunk);
    for (int i = 0; i < CHUNK; i++) {
      double r = chunk[i] & 255, g = (chunk[i] >> 8) & 255, b = (chunk[i] >> 16) & 255;
      int32_t red = toByte(m[0] * r + m[1] * g + m[2] * b + map.offset);
      int32_t green = toByte(m[3] * r + m[4] * g + m[5] * b + map.offset);
      int32_t blue = toByte(m[6] * r + m[7] * g + m[8] * b + map.offset);
      chunk[i] = red | green << 8 | blue << 16;
    }
    store(chunk, size, pixels + 3 * start);
  }
}

void lumas(const uint8_t* pixels, size_t count, double* out) {
  int32_t chunk[CHUNK] = {};
  unpack(pixels, int(count), chunk);
  for (int i = 0; i < CHUNK; i++)
    out[i] = 0.299 * (chunk[i] & 255) + 0.587 * ((chunk[i] >> 8) & 255) + 0.114 * ((chunk[i] >> 16) & 255);
}

void addPair(float* sums, const float* before, const float* after, float weight, size_t count) {
  for (size_t i = 0; i < count; i++)
    sums[i] = float(double(sums[i]) + double(weight) * (double(before[i]) + double(after[i])));
}

void widen(const uint8_t* bytes, size_t count, int32_t* out) {
  for (size_t i = 0; i < count; i++) out[i] = bytes[i];
}

}  // namespace

extern const Loops table = {across, down, warpRow, warpMaskRow, mapColours, lumas, addPair, widen};

}  // namespace millrace::images::MILLRACE_ISA
