#pragma once
#include <cstddef>
#include <cstdint>

namespace millrace::images {

/** The filter of one axis: output place i takes `count(i)` inputs from `first[i]` on, with weights at `start[i]`. */
struct Taps {
  const int32_t* first;
  const int32_t* start;
  const int32_t* weights;
};

/** Bits after the point of a weight: Pillow's for bytes. */
constexpr int PRECISION = 22;

/** What is outside of a picture: black, of id 255. */
constexpr uint32_t OUTSIDE = 0xff000000u;

/** By how much a framed picture is wider and higher: one pixel before, two after. */
constexpr int FRAME = 3;

/**
 * A picture of `width` × `height` pixels within a frame of `OUTSIDE`, and a map from output to input pixels: x' = ax + by + c,
 * y' = dx + ey + f. A pixel is red, green, blue and its id, from the lowest byte on.
 */
struct Warp {
  const uint32_t* pixels;
  int width, height;
  double map[6];
};

/** A linear map of colours, row by row, and what is added to each. */
struct ColourMap {
  double matrix[9];
  double offset;
};

/** The smallest and the largest of ids; of none the smallest is above the largest. */
struct IdRange {
  int32_t smallest = 255, largest = -1;
};

/** How many rows `across` takes at once. */
constexpr int ROWS = 4;

/**
 * The loops over pixels, compiled once per instruction set. Each rounds as the JavaScript that it stands in for: sums in
 * the same order, in the same precision, without fused multiply-add.
 */
struct Loops {
  /** Filters `ROWS` rows of RGB; a byte may be read after the last of them. */
  void (*across)(const uint8_t* rows, size_t stride, const Taps& taps, int width, uint8_t* out, size_t outStride);
  /** One output row of `stride` bytes from `count` input rows. */
  void (*down)(const uint8_t* rows, size_t stride, const int32_t* weights, int count, uint8_t* out);
  /** A row of RGB bytes, and of ids where there are any, as a row of a framed picture: `FRAME` more than `width` pixels. */
  void (*frameRow)(const uint8_t* pixels, const uint8_t* mask, int width, uint32_t* out);
  /** Row `y` of a warped RGB picture: bilinear, black outside; and of its ids, where they are asked for: the nearest, 255 outside. */
  void (*warpRow)(const Warp& warp, int y, uint8_t* out, uint8_t* maskOut);
  /** Maps the colours of `count` RGB pixels; `to` may be `from`. */
  void (*mapColours)(const uint8_t* from, size_t count, const ColourMap& map, uint8_t* to);
  /** The luma of `count` RGB pixels, at most 32; there is room for 32. */
  void (*lumas)(const uint8_t* pixels, size_t count, double* out);
  /** Adds the red, green and blue of `count` pixels to three sums. */
  void (*addChannels)(const uint8_t* pixels, size_t count, uint64_t* sums);
  /** sums[i] += weight · (before[i] + after[i]), each rounded to a float. */
  void (*addPair)(float* sums, const float* before, const float* after, float weight, size_t count);
  /** Ids as whole numbers; widens the range of those that are not 255. */
  void (*widen)(const uint8_t* ids, size_t count, int32_t* out, IdRange& range);
};

/** The loops for this processor, and the name of their instruction set. */
const Loops& loops();
const char* loopsIsa();

}  // namespace millrace::images
