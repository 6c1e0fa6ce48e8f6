#include "render.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "colours.h"
#include "enhance.h"
#include "loops.h"
#include "moves.h"
#include "resize.h"
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
  size_t count() { return size_t(within(0, double(end_ - next_))); }
  double within(double least, double most) {
    double value = one();
    if (!(value >= least && value <= most)) throw std::invalid_argument("edits: expected a number within its limits");
    return value;
  }

 private:
  const double* next_;
  const double* end_;
};

/** The order of `numbers` in src/data/pixels/encode-edits.ts. */
enum Edit {
  WARP, MOVES, PLACE, MAP, TABLE, GREY, BLUR, CONTRAST, SATURATION, SHARPNESS, AUTOCONTRAST, EQUALIZE, CLAHE, HSV, NOISE, SQUARES
};

/** The longest side of a picture that is put at a place, and the largest distance of that place. */
constexpr int MOST_SIDE = 1 << 20;

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

Move moveOf(Numbers& numbers) {
  double kind = numbers.one();
  if (kind == Move::AFFINE) return {Move::AFFINE, 0, numbers.many(6)};
  if (kind == Move::PROJECTIVE) return {Move::PROJECTIVE, 0, numbers.many(9)};
  size_t count = numbers.count();
  if (kind == Move::SURFACES && count >= 2) return {Move::SURFACES, count, numbers.many(2 * (count + 2) * (count + 2))};
  if (kind == Move::STRETCH && count >= 1) return {Move::STRETCH, count, numbers.many(2 * (count + 1))};
  throw std::invalid_argument("edits: expected a kind of map");
}

void move(Work& work, Numbers& numbers) {
  std::vector<Move> moves(numbers.count());
  for (Move& one : moves) one = moveOf(numbers);
  std::unique_ptr<uint8_t[]> image(new uint8_t[3 * work.pixels()]), mask(work.mask ? new uint8_t[work.pixels()] : nullptr);
  movePicture({work.width, work.height, work.image, work.mask}, moves, image.get(), mask.get());
  work.ownImage = std::move(image), work.ownMask = std::move(mask);
  work.image = work.ownImage.get(), work.mask = work.ownMask.get();
}

/** Copies what of a placed picture lies inside: `from` has rows of `width` pixels of some bytes each. */
void copyRows(const uint8_t* from, int width, int height, int left, int top, size_t bytes, const Work& work, uint8_t* to) {
  int first = std::max(0, left), end = std::min(work.width, left + width);
  for (int y = std::max(0, top); y < std::min(work.height, top + height) && first < end; y++)
    std::memcpy(to + (size_t(y) * size_t(work.width) + size_t(first)) * bytes,
                from + (size_t(y - top) * size_t(width) + size_t(first - left)) * bytes, size_t(end - first) * bytes);
}

void place(Work& work, Numbers& numbers) {
  int width = int(numbers.within(1, MOST_SIDE)), height = int(numbers.within(1, MOST_SIDE));
  int left = int(numbers.within(-MOST_SIDE, MOST_SIDE)), top = int(numbers.within(-MOST_SIDE, MOST_SIDE));
  static thread_local Scratch<uint8_t> memory;
  size_t count = size_t(width) * size_t(height);
  uint8_t* large = memory.room(3 * count);
  resizeBilinear({work.image, work.width, work.height, 3}, width, height, large);
  std::memset(work.room(), 0, 3 * work.pixels());
  work.image = work.room();
  copyRows(large, width, height, left, top, 3, work, work.room());
  if (!work.mask) return;
  resizeNearest(work.mask, work.width, work.height, width, height, [](uint8_t id) { return id; }, large);
  if (!work.ownMask) work.ownMask.reset(new uint8_t[work.pixels()]);
  std::fill_n(work.ownMask.get(), work.pixels(), uint8_t(255));
  copyRows(large, width, height, left, top, 1, work, work.ownMask.get());
  work.mask = work.ownMask.get();
}

void edit(Work& work, Numbers& numbers) {
  int kind = int(numbers.one());
  size_t pixels = work.pixels();
  switch (kind) {
    case WARP: return warp(work, numbers.many(6));
    case MOVES: return move(work, numbers);
    case PLACE: return place(work, numbers);
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
    case CONTRAST: return contrast(work.own(), pixels, numbers.one());
    case SATURATION: return saturation(work.own(), pixels, numbers.one());
    case SHARPNESS: return sharpness(work.own(), work.width, work.height, numbers.one());
    case AUTOCONTRAST: return autocontrast(work.own(), pixels);
    case EQUALIZE: return equalize(work.own(), pixels);
    case CLAHE: {
      double clip = numbers.one();
      return clahe(work.own(), work.width, work.height, clip, int(numbers.within(1, 255)));
    }
    case HSV: {
      const double* shifts = numbers.many(3);
      return shiftHsv(work.own(), pixels, shifts[0], shifts[1], shifts[2]);
    }
    case NOISE: {
      double deviation = numbers.one();
      return addNoise(work.own(), 3 * pixels, deviation, uint32_t(numbers.within(0, double(UINT32_MAX))));
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
