#pragma once
#include <cstddef>
#include <cstdint>

#include "scratch.h"

namespace millrace::images {

/** RGB bytes that were decoded, and the size of the picture that they were decoded from. */
struct Decoded {
  int width = 0, height = 0, fullWidth = 0, fullHeight = 0;
  /** The bytes, in `memory`. */
  uint8_t* pixels = nullptr;
  Scratch<uint8_t> memory;
};

/** The JPEG library that the addon was built with; empty where it was built without one. */
const char* jpegLibrary();

/**
 * Decodes a JPEG that has nothing unusual to RGB: 8 bits of YCbCr or grey, upright, whole, at most `mostPixels`.
 *
 * `width` and `height`, where they are not 0, are what the picture is then resized to: it is decoded at the smallest
 * eighth of its size that is at least as large, with the quicker transform.
 *
 * @returns whether it was decoded; whatever else a file holds is left to the decoder that says what is wrong.
 */
bool decodeJpeg(const uint8_t* bytes, size_t size, size_t mostPixels, int width, int height, Decoded& decoded);

}  // namespace millrace::images
