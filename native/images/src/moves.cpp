#include "moves.h"

#include <algorithm>
#include <cmath>

namespace millrace::images {
namespace {

struct Point {
  double x, y;
};

/** As JavaScript's Math.round: halves go up. */
double rounded(double x) {
  double whole = std::floor(x);
  return x - whole >= 0.5 ? whole + 1 : whole;
}

void affine(Point& p, const double* m) {
  double x = p.x, y = p.y;
  p.x = m[0] * x + m[1] * y + m[2];
  p.y = m[3] * x + m[4] * y + m[5];
}

void projective(Point& p, const double* m) {
  double x = p.x + 0.5, y = p.y + 0.5;
  double w = m[6] * x + m[7] * y + m[8];
  p.x = (m[0] * x + m[1] * y + m[2]) / w - 0.5;
  p.y = (m[3] * x + m[4] * y + m[5]) / w - 0.5;
}

/** The weights of the four control points around a place, of NaN those of the first, whose number is returned. */
size_t weigh(double place, size_t grid, double* weights) {
  double at = std::min(1., std::max(0., place + 0.5)) * double(grid - 1);
  double first = std::min(double(grid - 2), std::floor(at));
  double t = at - first, rest = 1 - t;
  weights[0] = (rest * rest * rest) / 6;
  weights[1] = ((3 * t - 6) * t * t + 4) / 6;
  weights[2] = ((3 * rest - 6) * rest * rest + 4) / 6;
  weights[3] = (t * t * t) / 6;
  return size_t(first);
}

void surfaces(Point& p, size_t grid, const double* across) {
  size_t side = grid + 2;
  const double* down = across + side * side;
  double column[4], row[4], x = 0, y = 0;
  size_t left = weigh(p.x, grid, column), top = weigh(p.y, grid, row);
  for (size_t j = 0; j < 4; j++)
    for (size_t k = 0; k < 4; k++) {
      double weight = row[j] * column[k];
      size_t at = (top + j) * side + left + k;
      x += weight * across[at];
      y += weight * down[at];
    }
  p.x += x;
  p.y += y;
}

double stretched(double at, size_t cells, const double* ends) {
  double place = (at + 0.5) * double(cells);
  // Of NaN the first cell's.
  double cell = std::min(double(cells - 1), std::max(0., std::floor(place)));
  size_t i = size_t(cell);
  return ends[i] + (place - cell) * (ends[i + 1] - ends[i]) - 0.5;
}

void apply(const Move& move, Point& p) {
  switch (move.kind) {
    case Move::AFFINE: return affine(p, move.values);
    case Move::PROJECTIVE: return projective(p, move.values);
    case Move::SURFACES: return surfaces(p, move.count, move.values);
    case Move::STRETCH:
      p.x = stretched(p.x, move.count, move.values);
      p.y = stretched(p.y, move.count, move.values + move.count + 1);
  }
}

uint8_t idAt(const MaskedPicture& from, Point p) {
  double x = rounded(p.x), y = rounded(p.y);
  bool within = x >= 0 && x < from.width && y >= 0 && y < from.height;
  return within ? from.mask[size_t(y) * size_t(from.width) + size_t(x)] : 255;
}

void colourAt(const MaskedPicture& from, Point p, uint8_t* to) {
  double width = from.width, height = from.height;
  if (!(p.x > -1 && p.x < width && p.y > -1 && p.y < height)) {
    std::fill_n(to, 3, uint8_t(0));
    return;
  }
  double left = std::floor(p.x), top = std::floor(p.y), right = p.x - left, below = p.y - top;
  double sums[3] = {0.5, 0.5, 0.5};
  for (int corner = 0; corner < 4; corner++) {
    double column = left + (corner & 1), row = top + (corner >> 1);
    double weight = (corner & 1 ? right : 1 - right) * (corner >> 1 ? below : 1 - below);
    if (!(weight > 0 && column >= 0 && column < width && row >= 0 && row < height)) continue;
    const uint8_t* pixel = from.image + (size_t(row) * size_t(from.width) + size_t(column)) * 3;
    for (int k = 0; k < 3; k++) sums[k] += weight * pixel[k];
  }
  for (int k = 0; k < 3; k++) to[k] = uint8_t(sums[k]);
}

}  // namespace

void movePicture(const MaskedPicture& from, const std::vector<Move>& moves, uint8_t* image, uint8_t* mask) {
  double width = from.width, height = from.height;
  for (int y = 0; y < from.height; y++)
    for (int x = 0; x < from.width; x++, image += 3) {
      Point p = {(x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5};
      for (size_t i = moves.size(); i-- > 0;) apply(moves[i], p);
      p = {(p.x + 0.5) * width - 0.5, (p.y + 0.5) * height - 0.5};
      colourAt(from, p, image);
      if (mask) *mask++ = idAt(from, p);
    }
}

}  // namespace millrace::images
