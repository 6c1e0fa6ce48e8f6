#include "resize.h"

#include <cmath>
#include <cstring>

#include "loops.h"
#include "scratch.h"

namespace millrace::images {
namespace {

/** The triangle filter of one axis, in fixed point. */
struct Filter {
  std::vector<int32_t> first, start, weights;

  Filter(int from, int to) : first(to), start(to + 1) {
    double scale = double(from) / to, support = std::max(scale, 1.0);
    double shrink = 1 / support;  // a factor and no divisor: as Pillow rounds
    std::vector<double> raw;
    for (int i = 0; i < to; i++) {
      double center = (i + 0.5) * scale;
      int low = std::max(0, int(center - support + 0.5));
      int high = std::min(from, int(center + support + 0.5));
      raw.clear();
      double sum = 0;
      for (int k = 0; k < high - low; k++) {
        raw.push_back(std::max(0.0, 1 - std::fabs(((k + low) - center + 0.5) * shrink)));
        sum += raw.back();
      }
      first[i] = low;
      for (double weight : raw) weights.push_back(int32_t(weight / sum * (1 << PRECISION) + 0.5));
      start[i + 1] = int32_t(weights.size());
    }
  }

  Taps taps() const { return {first.data(), start.data(), weights.data()}; }
};

/** Rows of any number of channels, one value at a time. */
void acrossAny(const Picture& from, const Taps& taps, int width, uint8_t* out) {
  int channels = from.channels;
  for (int y = 0; y < from.height; y++)
    for (int x = 0; x < width; x++)
      for (int c = 0; c < channels; c++) {
        const uint8_t* in = from.pixels + (size_t(y) * from.width + taps.first[x]) * channels + c;
        int32_t sum = 1 << (PRECISION - 1);
        for (int tap = taps.start[x]; tap < taps.start[x + 1]; tap++, in += channels) sum += taps.weights[tap] * *in;
        *out++ = uint8_t(sum >> PRECISION);
      }
}

void acrossRgb(const Picture& from, const Taps& taps, int width, uint8_t* out) {
  size_t stride = size_t(from.width) * 3, outStride = size_t(width) * 3;
  int y = 0;
  // The last row is left to the copy below: the loop may read a byte after its rows.
  for (; y + ROWS < from.height; y += ROWS)
    loops().across(from.pixels + y * stride, stride, taps, width, out + y * outStride, outStride);
  std::vector<uint8_t> rows(ROWS * stride + 4), results(ROWS * outStride);
  for (; y < from.height; y += ROWS) {
    size_t count = size_t(std::min(ROWS, from.height - y));
    std::memcpy(rows.data(), from.pixels + y * stride, count * stride);
    loops().across(rows.data(), stride, taps, width, results.data(), outStride);
    std::memcpy(out + y * outStride, results.data(), count * outStride);
  }
}

}  // namespace

void resizeBilinear(const Picture& from, int width, int height, uint8_t* out) {
  size_t stride = size_t(width) * from.channels;
  static thread_local Scratch<uint8_t> narrow;
  const uint8_t* rows = from.pixels;
  if (width != from.width) {
    Filter filter(from.width, width);
    uint8_t* to = out;
    if (height != from.height) to = narrow.room(stride * size_t(from.height));
    if (from.channels == 3) acrossRgb(from, filter.taps(), width, to);
    else acrossAny(from, filter.taps(), width, to);
    rows = to;
  }
  if (height != from.height) {
    Filter filter(from.height, height);
    for (int y = 0; y < height; y++) {
      int start = filter.start[y], count = filter.start[y + 1] - start;
      loops().down(rows + filter.first[y] * stride, stride, filter.weights.data() + start, count, out + y * stride);
    }
  } else if (rows != out) std::memcpy(out, rows, stride * height);
}

void nearestPlaces(int from, int to, int32_t* places) {
  // Pillow adds up the step, so its rounding errors are part of the result.
  double step = double(from) / to, place = step * 0.5;
  for (int i = 0; i < to; i++, place += step) places[i] = std::min(from - 1, int(place));
}

}  // namespace millrace::images
