#include "colours.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "loops.h"

namespace millrace::images {
namespace {

constexpr size_t CHUNK = 32;

double meanLuma(const uint8_t* pixels, size_t count) {
  uint64_t sums[3] = {};
  loops().addChannels(pixels, count, sums);
  return (0.299 * double(sums[0]) + 0.587 * double(sums[1]) + 0.114 * double(sums[2])) / double(count);
}

/** Row by row of `length` values; a line of the result sums lines `step` values apart, before and after. */
void convolve(const float* centre, float* out, const std::vector<float>& kernel, size_t length, size_t step) {
  for (size_t i = 0; i < length; i++) out[i] = float(double(kernel[0]) * double(centre[i]));
  for (size_t d = 1; d < kernel.size(); d++)
    loops().addPair(out, centre - d * step, centre + d * step, kernel[d], length);
}

}  // namespace

void mapColours(const uint8_t* from, size_t count, const double* matrix, double lift, uint8_t* to) {
  ColourMap map;
  std::copy(matrix, matrix + 9, map.matrix);
  map.offset = lift * meanLuma(from, count);
  loops().mapColours(from, count, map, to);
}

void lookUp(uint8_t* bytes, size_t count, const double* table) {
  uint8_t values[256];
  for (int i = 0; i < 256; i++) values[i] = uint8_t(table[i]);
  for (size_t i = 0; i < count; i++) bytes[i] = values[bytes[i]];
}

void toGrey(uint8_t* pixels, size_t count) {
  double chunk[CHUNK];
  for (size_t start = 0; start < count; start += CHUNK) {
    size_t size = std::min(CHUNK, count - start);
    loops().lumas(pixels + 3 * start, size, chunk);
    for (size_t i = 0; i < size; i++) {
      int whole = int(chunk[i]);
      std::memset(pixels + 3 * (start + i), whole + (chunk[i] - whole >= 0.5 ? 1 : 0), 3);
    }
  }
}

void blur(uint8_t* pixels, int width, int height, const double* kernel, size_t size) {
  if (size == 0) return;
  std::vector<float> weights(kernel, kernel + size);
  size_t row = size_t(width) * 3, reach = size - 1;
  // With `reach` pixels, or rows, of the edges' values on either side.
  std::vector<float> line(row + 6 * reach), across(row * (size_t(height) + 2 * reach)), down(row);
  for (size_t y = 0; y < size_t(height); y++) {
    const uint8_t* from = pixels + y * row;
    for (size_t i = 0; i < 3 * reach; i++) line[i] = from[i % 3];
    for (size_t i = 0; i < row; i++) line[3 * reach + i] = from[i];
    for (size_t i = 0; i < 3 * reach; i++) line[3 * reach + row + i] = from[row - 3 + i % 3];
    convolve(line.data() + 3 * reach, across.data() + (reach + y) * row, weights, row, 3);
  }
  for (size_t y = 0; y < reach; y++) {
    std::memcpy(across.data() + y * row, across.data() + reach * row, row * sizeof(float));
    std::memcpy(across.data() + (reach + size_t(height) + y) * row, across.data() + (reach + size_t(height) - 1) * row,
                row * sizeof(float));
  }
  for (size_t y = 0; y < size_t(height); y++) {
    convolve(across.data() + (reach + y) * row, down.data(), weights, row, row);
    for (size_t i = 0; i < row; i++) pixels[y * row + i] = uint8_t(double(down[i]) + 0.5);
  }
}

void paintSquare(uint8_t* pixels, int width, int height, const double* square, uint8_t value) {
  double left = square[0], top = square[1], side = square[2];
  if (!(left >= 0 && top >= 0 && side >= 0 && left + side <= width && top + side <= height)) return;
  for (int y = int(top); y < int(top) + int(side); y++)
    std::memset(pixels + 3 * (size_t(y) * size_t(width) + size_t(left)), value, 3 * size_t(side));
}

}  // namespace millrace::images
