#pragma once
#include "chunks.h"

// The affine warp of a picture and its mask. For loops.cpp alone, which is compiled once per instruction set.
//
// The values are those of sums of doubles, as JavaScript forms them. Most are found in floats, whose error is bounded: a
// chunk with a value so near to a whole number that the error could matter is worked out in doubles.
namespace millrace::images::MILLRACE_ISA {
namespace {

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

/** A chunk of pixels anywhere, in doubles. */
void warpPixels(const Warp& warp, const Places& places, int32_t* result) {
  Corners corners;
  uint64_t pixels[2][CHUNK];
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
}

/** A chunk of mask ids anywhere. */
void warpIds(const Warp& warp, const Places& places, int count, uint8_t* out) {
  int32_t at[CHUNK];
  for (int i = 0; i < CHUNK; i++) {
    int32_t left = floorOf(places.x[i]), top = floorOf(places.y[i]);
    int32_t x = left + (places.x[i] - left >= 0.5 ? 1 : 0), y = top + (places.y[i] - top >= 0.5 ? 1 : 0);
    bool inside = (places.inside[i] != 0) & (x >= 0) & (x < warp.width) & (y >= 0) & (y < warp.height);
    at[i] = inside ? y * warp.width + x : -1;
  }
  for (int i = 0; i < count; i++) out[i] = at[i] < 0 ? 255 : warp.mask[at[i]];
}

/** Where the output pixels of a chunk come from that lie inside the picture throughout. */
struct Inside {
  float x[CHUNK], y[CHUNK];
  int32_t at[CHUNK], maskAt[CHUNK];
};

/**
 * Whether a chunk lies inside, and none of its pixels is among the last, which are read together with bytes after them.
 * Rounding keeps the order of numbers, so the two ends speak for all.
 */
inline bool liesInside(const Warp& warp, int x0, int row) {
  double by = warp.map[1] * row, ey = warp.map[4] * row;
  double width = warp.width, height = warp.height;
  bool inside = (warp.width > 1) & (warp.height > 1), last = false, before = true;
  for (int end = 0; end < 2; end++) {
    double column = x0 + end * (CHUNK - 1);
    double x = warp.map[0] * column + by + warp.map[2], y = warp.map[3] * column + ey + warp.map[5];
    inside &= (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1);
    last |= y >= height - 2;
    before &= x < width - 2;
  }
  return inside & (before | !last);
}

inline void placeInside(const Warp& warp, int x0, int y, Inside& places) {
  double a = warp.map[0], by = warp.map[1] * y, c = warp.map[2];
  double d = warp.map[3], ey = warp.map[4] * y, f = warp.map[5];
  int32_t width = warp.width, mostLeft = warp.width - 2, mostTop = warp.height - 2;
  for (int i = 0; i < CHUNK; i++) {
    double column = x0 + i;
    double x = a * column + by + c, y = d * column + ey + f;
    // On the last pixel, it is the right one of two.
    int32_t left = int32_t(x), top = int32_t(y);
    left = left < mostLeft ? left : mostLeft;
    top = top < mostTop ? top : mostTop;
    double right = x - left, below = y - top;
    places.x[i] = float(right);
    places.y[i] = float(below);
    places.at[i] = (top * width + left) * 3;
    places.maskAt[i] = (top + (below >= 0.5 ? 1 : 0)) * width + left + (right >= 0.5 ? 1 : 0);
  }
}

/**
 * A chunk that lies inside, in floats; false where a value is too near to a whole number. Of each value 2^-25 · 255 is the
 * error by a rounded place, and each of its sums and products is rounded by 2^-17 at most: eight times that in all.
 */
inline bool warpInside(const Warp& warp, const Inside& places, int32_t* result) {
  constexpr float NEAR = 0.5f - 0x1p-14f;
  uint64_t pixels[2][CHUNK];
  int32_t own[CHUNK], nearest = 0;
  size_t stride = size_t(warp.width) * 3;
  for (int i = 0; i < CHUNK; i++) {
    const uint8_t* from = warp.pixels + places.at[i];
    __builtin_memcpy(&pixels[0][i], from, 8);
    __builtin_memcpy(&pixels[1][i], from + stride, 8);
    // One by one: compilers would put vectors together, which is slower than to store and load them.
    asm volatile("");
  }
  for (int i = 0; i < CHUNK; i++) {
    uint32_t topLeft = uint32_t(pixels[0][i]), topRight = uint32_t(pixels[0][i] >> 24);
    uint32_t left = uint32_t(pixels[1][i]), right = uint32_t(pixels[1][i] >> 24);
    float x = places.x[i], y = places.y[i];
    int32_t pixel = 0;
#pragma GCC unroll 3
    for (int shift = 0; shift < 24; shift += 8) {
      int32_t a = int32_t((topLeft >> shift) & 255), b = int32_t((topRight >> shift) & 255);
      int32_t c = int32_t((left >> shift) & 255), d = int32_t((right >> shift) & 255);
      float top = float(a) + x * float(b - a), bottom = float(c) + x * float(d - c);
      float value = top + y * (bottom - top) + 0.5f;
      pixel |= byteOf(value, nearest) << shift;
    }
    own[i] = pixel;
  }
  __builtin_memcpy(result, own, sizeof own);
  return nearest < bitsOf(NEAR);
}

void warpRow(const Warp& warp, int y, uint8_t* out, uint8_t* maskOut) {
  Places places;
  Inside inside;
  int32_t result[CHUNK];
  for (int x0 = 0; x0 < warp.width; x0 += CHUNK) {
    // The last chunk ends with the row, where it can.
    int start = x0 + CHUNK > warp.width && warp.width >= CHUNK ? warp.width - CHUNK : x0;
    int count = warp.width - start < CHUNK ? warp.width - start : CHUNK;
    bool whole = count == CHUNK && liesInside(warp, start, y), quick = whole;
    if (whole) {
      placeInside(warp, start, y, inside);
      quick = warpInside(warp, inside, result);
    }
    if (!quick) {
      place(warp, start, y, places);
      warpPixels(warp, places, result);
    }
    store(result, count, out + size_t(start) * 3);
    if (!maskOut) continue;
    if (whole)
      for (int i = 0; i < CHUNK; i++) maskOut[start + i] = warp.mask[inside.maskAt[i]];
    else warpIds(warp, places, count, maskOut + start);
  }
}

}  // namespace
}  // namespace millrace::images::MILLRACE_ISA
