#pragma once
#include <cstddef>
#include <cstdint>

namespace millrace::images {

/** v → `matrix` · v + `lift` times the mean luma, for each of `count` RGB pixels; rounded and clamped to bytes. `to` may be `from`. */
void mapColours(const uint8_t* from, size_t count, const double* matrix, double lift, uint8_t* to);

/** Each byte by a table of 256. */
void lookUp(uint8_t* bytes, size_t count, const double* table);

/** Each pixel by its luma. */
void toGrey(uint8_t* pixels, size_t count);

/** Convolves rows, then columns, by half a kernel, from its centre outwards; the edges are continued outwards. */
void blur(uint8_t* pixels, int width, int height, const double* kernel, size_t size);

/** Fills the square at left, top with a side, in pixels. */
void paintSquare(uint8_t* pixels, int width, int height, const double* square, uint8_t value);

}  // namespace millrace::images
