#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace::images {

/** A map from output to input coordinates, in units of width and height with the centre at 0. */
struct Move {
  enum Kind { AFFINE, PROJECTIVE, SURFACES, STRETCH };
  Kind kind;
  /** Control points along each side less two, or cells. */
  size_t count;
  /** AFFINE 6, PROJECTIVE 9, SURFACES 2·(count + 2)², STRETCH 2·(count + 1). */
  const double* values;
};

struct MaskedPicture {
  int width, height;
  /** RGB. */
  const uint8_t* image;
  /** May be null. */
  const uint8_t* mask;
};

/**
 * Moves a picture and its mask by several maps, the first one first, interpolating once: the image bilinear, black outside,
 * the mask to the nearest, 255 outside; all in the doubles of src/data/pixels/moved.ts.
 */
void movePicture(const MaskedPicture& from, const std::vector<Move>& moves, uint8_t* image, uint8_t* mask);

}  // namespace millrace::images
