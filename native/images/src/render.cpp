#include "render.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "colours.h"
#include "loops.h"
#include "scratch.h"

namespace millrace::images {
namespace {

/** Reads numbers in turn. */
class Numbers {
 public:
  Numbers(const double* next, size_t count) : next_(next), end_(next + count) {}
  bool more() const { return next_ < end_; }
  double one() { return *many(1); }
  const double* many(size_t count) {
    if (size_t(end_ - next_) < count) throw std::invalid_argument("edits: expected more numbers");
    const double* values = next_;
    next_ += count;
    return values;
  }
  /** A count, as one of the numbers. */
  size_t count() {
    double value = one();
    if (!(value >= 0 && value <= double(end_ - next_))) throw std::invalid_argument("edits: expected a count");
    return size_t(value);
  }

 private:
  const double* next_;
  const double* end_;
};

enum Edit { WARP, MAP, TABLE, GREY, BLUR, SQUARES };

struct Work {
  int width, height;
  const uint8_t* image;
  const uint8_t* mask;
  std::unique_ptr<uint8_t[]> ownImage, ownMask;

  size_t pixels() const { return size_t(width) * size_t(height); }

  /** Memory for an image; that of the image, where it may be changed. */
  uint8_t* room() {
    if (!ownImage) ownImage.reset(new uint8_t[3 * pixels()]);
    return ownImage.get();
  }

  /** The image, in memory that may be changed. */
  uint8_t* own() {
    uint8_t* to = room();
    if (image != to) std::memcpy(to, image, 3 * pixels());
    image = to;
    return to;
  }
};

void warp(Work& work, const double* map) {
  size_t row = size_t(work.width), framed = row + FRAME, channels = 3;
  // Places in it are found in 32 bits.
  if (double(framed) * (double(work.height) + FRAME) > double(INT32_MAX)) throw std::length_error("warp: expected fewer pixels");
  static thread_local Scratch<uint32_t> memory;
  uint32_t* frame = memory.room(framed * (size_t(work.height) + FRAME));
  uint32_t* to = std::fill_n(frame, framed, OUTSIDE);
  for (size_t y = 0; y < size_t(work.height); y++, to += framed)
    loops().frameRow(work.image + channels * row * y, work.mask ? work.mask + row * y : nullptr, work.width, to);
  std::fill_n(to, framed * (FRAME - 1), OUTSIDE);
  Warp move = {frame, work.width, work.height, {}};
  std::copy(map, map + 6, move.map);
  if (!work.ownMask && work.mask) work.ownMask.reset(new uint8_t[work.pixels()]);
  uint8_t* image = work.room();
  for (int y = 0; y < work.height; y++)
    loops().warpRow(move, y, image + channels * row * size_t(y), work.mask ? work.ownMask.get() + row * size_t(y) : nullptr);
  work.image = image;
  if (work.mask) work.mask = work.ownMask.get();
}

void edit(Work& work, Numbers& numbers) {
  int kind = int(numbers.one());
  size_t pixels = work.pixels();
  switch (kind) {
    case WARP: return warp(work, numbers.many(6));
    case MAP: {
      const double* values = numbers.many(10);
      mapColours(work.image, pixels, values, values[9], work.room());
      work.image = work.room();
      return;
    }
    case TABLE: return lookUp(work.own(), 3 * pixels, numbers.many(256));
    case GREY: return toGrey(work.own(), pixels);
    case BLUR: {
      size_t count = numbers.count();
      return blur(work.own(), work.width, work.height, numbers.many(count), count);
    }
    case SQUARES: {
      size_t count = numbers.count();
      uint8_t value = uint8_t(numbers.one());
      for (size_t i = 0; i < count; i++) paintSquare(work.own(), work.width, work.height, numbers.many(3), value);
      return;
    }
    default: throw std::invalid_argument("edits: expected a kind of edit");
  }
}

template <typename Value>
void normalise(const uint8_t* image, size_t pixels, const Value* tables, Value* out) {
  const Value *red = tables, *green = tables + 256, *blue = tables + 512;
  for (size_t i = 0; i < 3 * pixels; i += 3) {
    out[i] = red[image[i]];
    out[i + 1] = green[image[i + 1]];
    out[i + 2] = blue[image[i + 2]];
  }
}

}  // namespace

void render(const Sample& sample, int width, int height, const void* tables, const Target& target, IdRange& range) {
  Work work = {width, height, sample.image, sample.mask, {}, {}};
  Numbers numbers(sample.edits, sample.editCount);
  while (numbers.more()) edit(work, numbers);
  size_t pixels = work.pixels();
  if (target.floats) normalise(work.image, pixels, static_cast<const float*>(tables), target.floats);
  if (target.halves) normalise(work.image, pixels, static_cast<const uint16_t*>(tables), target.halves);
  if (target.bytes) std::memcpy(target.bytes, work.image, 3 * pixels);
  if (work.mask && target.mask) loops().widen(work.mask, pixels, target.mask, range);
  if (work.mask && target.maskBytes) std::memcpy(target.maskBytes, work.mask, pixels);
}

}  // namespace millrace::images
