#pragma once
#include <cstddef>
#include <cstdint>

#include "loops.h"

namespace millrace::images {

/** What is done to one decoded sample: see `render`. */
struct Sample {
  const uint8_t* image;
  /** Null where there is none. */
  const uint8_t* mask;
  /** Numbers of the changes, as src/data/pixels/encode-edits.ts writes them. */
  const double* edits;
  size_t editCount;
};

/** Where a sample goes. */
struct Target {
  /** Exactly one of these three is there. */
  float* floats;
  uint16_t* halves;
  uint8_t* bytes;
  /** One of these, or none. */
  int32_t* mask;
  uint8_t* maskBytes;
};

/**
 * Warps a sample, changes its colours and normalises it by tables of 256 values a channel; widens the range of ids by those of
 * its mask, where that goes to whole numbers.
 *
 * @throws std::invalid_argument for edits that do not fit their own lengths.
 */
void render(const Sample& sample, int width, int height, const void* tables, const Target& target, IdRange& range);

}  // namespace millrace::images
