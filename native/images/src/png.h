#pragma once
#include <cstddef>
#include <cstdint>

#include "scratch.h"

namespace millrace::images {

/** The ids of a mask, row by row: in `bytes`, or in `wide` where they are `deep`, of 16 bits. */
struct Ids {
  int width = 0, height = 0;
  bool deep = false;
  uint8_t* bytes = nullptr;
  uint16_t* wide = nullptr;
  Scratch<uint8_t> byteMemory;
  Scratch<uint16_t> wideMemory;
};

/**
 * Reads the ids of a PNG of one channel (grey or palette, 1, 2, 4, 8 or 16 bits) that has nothing unusual: whole, not
 * interlaced, without EXIF data, at most `mostPixels`.
 *
 * @returns whether it was read; whatever else a file holds is left to `pngSamples`, which says what is wrong.
 */
bool readIds(const uint8_t* bytes, size_t size, size_t mostPixels, Ids& ids);

}  // namespace millrace::images
