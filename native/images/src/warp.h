#pragma once
#include "chunks.h"

// The affine warp of a picture and its mask. For loops.cpp alone, which is compiled once per instruction set.
//
// The values are those of sums of doubles, as JavaScript forms them. Most are found in floats, whose error is bounded: a
// chunk with a value so near to a whole number that the error could matter is worked out in doubles.
//
// Around the picture lies a frame of black and of id 255, where every place outside of it is moved to: nothing has to be
// asked about edges.
namespace millrace::images::MILLRACE_ISA {
namespace {

/** Where the output pixels of a chunk come from. */
struct Places {
  /** How far beyond the pixel at `at`, on the right and below. */
  float right[CHUNK], below[CHUNK];
  /** All bits, where that is at least a half. */
  int32_t nearRight[CHUNK], nearBelow[CHUNK];
  int32_t at[CHUNK];
};

/** The place of an output pixel; NaN and all that is outside is on the frame, before or after. */
inline double inFrame(double place, double size) {
  place = place > -1 ? place : -1;
  return place < size ? place : size;
}

inline void place(const Warp& warp, int x0, int row, Places& places) {
  double a = warp.map[0], by = warp.map[1] * row, c = warp.map[2];
  double d = warp.map[3], ey = warp.map[4] * row, f = warp.map[5];
  double width = warp.width, height = warp.height;
  int32_t stride = warp.width + FRAME;
  for (int i = 0; i < CHUNK; i++) {
    double column = x0 + i;
    double x = inFrame(a * column + by + c, width), y = inFrame(d * column + ey + f, height);
    // In the frame's own places, which begin one pixel before. The sum may be rounded up to a whole number: what is beyond
    // that is then negative, and as near to 0 as its other neighbour was to 1.
    int32_t left = int32_t(x + 1), top = int32_t(y + 1);
    double right = x - double(left - 1), below = y - double(top - 1);
    places.right[i] = float(right);
    places.below[i] = float(below);
    places.nearRight[i] = right >= 0.5 ? -1 : 0;
    places.nearBelow[i] = below >= 0.5 ? -1 : 0;
    places.at[i] = top * stride + left;
  }
}

/** The four pixels around each place, those above and those below beside each other. */
struct Corners {
  uint64_t above[CHUNK], under[CHUNK];
};

inline void corners(const Warp& warp, const int32_t* at, Corners& around) {
  size_t stride = size_t(warp.width + FRAME);
  for (int i = 0; i < CHUNK; i++) {
    const uint32_t* from = warp.pixels + at[i];
    __builtin_memcpy(&around.above[i], from, 8);
    __builtin_memcpy(&around.under[i], from + stride, 8);
    // One by one: compilers would put vectors together, which is slower than to store and load them.
    asm volatile("");
  }
}

inline int32_t channel(uint32_t pixel, int shift) { return int32_t((pixel >> shift) & 255); }

/**
 * A chunk in floats: pixels and their ids; false where a value is too near to a whole number. Of each value 2^-25 · 255 is
 * the error by a rounded place, and each of its sums and products is rounded by 2^-17 at most: eight times that in all.
 */
inline bool blend(const Places& places, const Corners& around, int32_t* result) {
  constexpr float NEAR = 0.5f - 0x1p-14f;
  int32_t nearest = 0;
  for (int i = 0; i < CHUNK; i++) {
    uint32_t topLeft = uint32_t(around.above[i]), topRight = uint32_t(around.above[i] >> 32);
    uint32_t left = uint32_t(around.under[i]), right = uint32_t(around.under[i] >> 32);
    float x = places.right[i], y = places.below[i];
    uint32_t top = places.nearRight[i] ? topRight : topLeft, bottom = places.nearRight[i] ? right : left;
    uint32_t pixel = (places.nearBelow[i] ? bottom : top) & 0xff000000u;
#pragma GCC unroll 3
    for (int shift = 0; shift < 24; shift += 8) {
      int32_t a = channel(topLeft, shift), b = channel(topRight, shift);
      int32_t c = channel(left, shift), d = channel(right, shift);
      float upper = multiplyAdd(x, float(b - a), float(a) + 0.5f), lower = multiplyAdd(x, float(d - c), float(c) + 0.5f);
      pixel |= uint32_t(byteOf(multiplyAdd(y, lower - upper, upper), nearest)) << shift;
    }
    result[i] = int32_t(pixel);
  }
  return nearest < bitsOf(NEAR);
}

inline int32_t floorOf(double x) {
  int32_t whole = int32_t(x);
  return whole - (double(whole) > x ? 1 : 0);
}

/** The same in doubles, which leaves the ids as they are. */
void blendExactly(const Warp& warp, int x0, int row, int32_t* result) {
  double a = warp.map[0], by = warp.map[1] * row, c = warp.map[2];
  double d = warp.map[3], ey = warp.map[4] * row, f = warp.map[5];
  size_t stride = size_t(warp.width + FRAME);
  for (int i = 0; i < CHUNK; i++) {
    double column = x0 + i;
    double x = inFrame(a * column + by + c, warp.width), y = inFrame(d * column + ey + f, warp.height);
    int32_t left = floorOf(x), top = floorOf(y);
    double right = x - left, below = y - top;
    const uint32_t* from = warp.pixels + size_t(top + 1) * stride + size_t(left + 1);
    uint32_t pixel = uint32_t(result[i]) & 0xff000000u;
    for (int shift = 0; shift < 24; shift += 8) {
      double sum = 0.5;
      sum += (1 - below) * (1 - right) * channel(from[0], shift);
      sum += (1 - below) * right * channel(from[1], shift);
      sum += below * (1 - right) * channel(from[stride], shift);
      sum += below * right * channel(from[stride + 1], shift);
      pixel |= uint32_t(int32_t(sum)) << shift;
    }
    result[i] = int32_t(pixel);
  }
}

void warpRow(const Warp& warp, int y, uint8_t* out, uint8_t* maskOut) {
  Places places;
  Corners around;
  int32_t result[CHUNK];
  for (int x0 = 0; x0 < warp.width; x0 += CHUNK) {
    // The last chunk ends with the row, where it can.
    int start = x0 + CHUNK > warp.width && warp.width >= CHUNK ? warp.width - CHUNK : x0;
    int count = warp.width - start < CHUNK ? warp.width - start : CHUNK;
    place(warp, start, y, places);
    corners(warp, places.at, around);
    if (!blend(places, around, result)) blendExactly(warp, start, y, result);
    store(result, count, out + size_t(start) * 3);
    if (maskOut) storeIds(result, count, maskOut + start);
  }
}

/** A row of the framed picture: see `Warp`. */
void frameRow(const uint8_t* pixels, const uint8_t* mask, int width, uint32_t* out) {
  *out++ = OUTSIDE;
  int32_t chunk[CHUNK] = {};
  for (int x = 0; x < width; x += CHUNK) {
    int count = width - x < CHUNK ? width - x : CHUNK;
    unpack(pixels + 3 * size_t(x), count, chunk);
    if (mask)
      for (int i = 0; i < count; i++) out[x + i] = (uint32_t(chunk[i]) & 0xffffffu) | uint32_t(mask[x + i]) << 24;
    else
      for (int i = 0; i < count; i++) out[x + i] = uint32_t(chunk[i]) | OUTSIDE;
  }
  for (int i = width; i < width + FRAME - 1; i++) out[i] = OUTSIDE;
}

}  // namespace
}  // namespace millrace::images::MILLRACE_ISA
