#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace millrace::images {

/** A file by its path, or its bytes. */
struct Source {
  std::string path;
  const uint8_t* bytes = nullptr;
  size_t size = 0;

  bool none() const { return path.empty() && !bytes; }
};

/** A picture to load, and its mask where it has one, at one size. */
struct LoadJob {
  Source image, mask;
  int width, height;
  /** Whether to decode at a smaller scale where the result is smaller. */
  bool fast;
  size_t mostPixels;
  /** The class of each of 65,536 ids; −1 for one that is not declared. */
  const int16_t* classes;
  uint8_t* imageOut;
  uint8_t* maskOut;
};

/**
 * Reads, decodes and resizes a JPEG and its PNG mask.
 *
 * @returns false where anything about the files is unusual, and the results are then of no account: another decoder
 * reads them, or says what is wrong.
 */
bool load(const LoadJob& job);

}  // namespace millrace::images
