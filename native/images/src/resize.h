#pragma once
#include <cstddef>
#include <cstdint>

namespace millrace::images {

/** Bytes of a picture, rows without gaps. */
struct Picture {
  const uint8_t* pixels;
  int width, height, channels;
};

/** Pillow's bilinear filter, widened where it shrinks: rows first, then columns, each pass rounded to bytes. */
void resizeBilinear(const Picture& from, int width, int height, uint8_t* out);

/** Pillow's nearest, for one channel. `Value` is the type of the ids, and `classOf` maps each to the byte stored. */
template <typename Value, typename Map>
void resizeNearest(const Value* ids, int fromWidth, int fromHeight, int width, int height, Map classOf, uint8_t* out);

/** The input place of each output place. */
void nearestPlaces(int from, int to, int32_t* places);

}  // namespace millrace::images

#include <algorithm>
#include <vector>

namespace millrace::images {

template <typename Value, typename Map>
void resizeNearest(const Value* ids, int fromWidth, int fromHeight, int width, int height, Map classOf, uint8_t* out) {
  std::vector<int32_t> columns(width), rows(height);
  nearestPlaces(fromWidth, width, columns.data());
  nearestPlaces(fromHeight, height, rows.data());
  for (int y = 0; y < height; y++) {
    const Value* row = ids + size_t(rows[y]) * size_t(fromWidth);
    uint8_t* to = out + size_t(y) * size_t(width);
    for (int x = 0; x < width; x++) to[x] = classOf(row[columns[x]]);
  }
}

}  // namespace millrace::images
