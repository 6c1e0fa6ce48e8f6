#include "enhance.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace millrace::images {
namespace {

/** Rounded, halves up, and clamped. */
uint8_t toByte(double value) {
  if (!(value > 0)) return 0;
  if (value >= 255) return 255;
  double whole = std::floor(value);
  return uint8_t(value - whole >= 0.5 ? whole + 1 : whole);
}

/** The luma as a byte, in Pillow's fixed point. */
int grey(const uint8_t* pixel) { return (19595 * pixel[0] + 38470 * pixel[1] + 7471 * pixel[2] + 0x8000) >> 16; }

/** base + alpha·(byte − base), in the float32 and with the truncation of Pillow's `Image.blend`. */
uint8_t blended(uint8_t byte, int base, float alpha) {
  float value = float(base) + alpha * float(byte - base);
  return !(value > 0) ? 0 : value >= 255 ? 255 : uint8_t(value);
}

/** Pillow's `ImageFilter.SMOOTH`: the mean of 3 × 3 pixels, the middle one five times; borders stay. */
std::vector<uint8_t> smoothed(const uint8_t* pixels, int width, int height) {
  size_t stride = 3 * size_t(width);
  std::vector<uint8_t> out(pixels, pixels + stride * size_t(height));
  const float side = float(1. / 13), middle = float(5. / 13);
  float shares[256];
  for (int i = 0; i < 256; i++) shares[i] = float(i) * side;
  auto row = [&](const uint8_t* at) { return (shares[at[-3]] + shares[at[0]]) + shares[at[3]]; };
  for (size_t y = 1; y + 1 < size_t(height); y++)
    for (size_t i = y * stride + 3; i + 3 < (y + 1) * stride; i++) {
      const uint8_t* at = pixels + i;
      float inner = (shares[at[-3]] + float(at[0]) * middle) + shares[at[3]];
      float sum = ((0.5f + row(at + stride)) + inner) + row(at - stride);
      out[i] = sum >= 255 ? 255 : uint8_t(sum);
    }
  return out;
}

struct Counts {
  uint32_t of[256] = {};
  int first() const { return int(std::find_if(of, of + 256, [](uint32_t n) { return n > 0; }) - of); }
  int last() const {
    int i = 255;
    while (i >= 0 && of[i] == 0) i--;
    return i;
  }
};

/** Maps each channel by a table that `make` fills from its counts; where that is false, it stays. */
template <typename Make>
void byChannel(uint8_t* pixels, size_t count, Make make) {
  for (size_t channel = 0; channel < 3; channel++) {
    Counts counts;
    uint8_t table[256];
    for (size_t i = channel; i < 3 * count; i += 3) counts.of[pixels[i]]++;
    if (!make(counts, table)) continue;
    for (size_t i = channel; i < 3 * count; i += 3) pixels[i] = table[pixels[i]];
  }
}

/** For each pixel of a side the two tiles around it, and the share of the second. */
struct Neighbours {
  std::vector<int> first, second;
  std::vector<double> share;

  Neighbours(int length, int count) {
    for (int i = 0; i < length; i++) {
      double at = std::min(double(count - 1), std::max(0., (i + 0.5) * (double(count) / length) - 0.5));
      first.push_back(int(at));
      second.push_back(std::min(count - 1, int(at) + 1));
      share.push_back(at - int(at));
    }
  }
};

/** The cumulative counts of a tile, which are clipped, scaled to 255. */
void tileMap(const double* counts, int total, double clip, double* map) {
  double limit = (clip * total) / 256, rest = 0, sum = 0;
  for (int i = 0; i < 256; i++) rest += std::max(0., counts[i] - limit);
  for (int i = 0; i < 256; i++) {
    sum += std::min(counts[i], limit) + rest / 256;
    map[i] = (255 * sum) / total;
  }
}

double clamp(double x) { return std::min(1., std::max(0., x)); }

/** How much of its saturation a channel lacks, by its place on the colour circle, in sixths. */
double lack(double place) {
  double at = place - 6 * std::floor(place / 6);
  return std::max(0., std::min(std::min(at, 4 - at), 1.));
}

}  // namespace

void contrast(uint8_t* pixels, size_t count, double factor) {
  if (factor == 1) return;
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += grey(pixels + 3 * i);
  int mean = int(sum / double(count) + 0.5);
  uint8_t table[256];
  for (int i = 0; i < 256; i++) table[i] = blended(uint8_t(i), mean, float(factor));
  for (size_t i = 0; i < 3 * count; i++) pixels[i] = table[pixels[i]];
}

void saturation(uint8_t* pixels, size_t count, double factor) {
  if (factor == 1) return;
  for (size_t i = 0; i < count; i++, pixels += 3) {
    int base = grey(pixels);
    for (int k = 0; k < 3; k++) pixels[k] = blended(pixels[k], base, float(factor));
  }
}

void sharpness(uint8_t* pixels, int width, int height, double factor) {
  if (factor == 1) return;
  std::vector<uint8_t> base = smoothed(pixels, width, height);
  for (size_t i = 0; i < base.size(); i++) pixels[i] = blended(pixels[i], base[i], float(factor));
}

void autocontrast(uint8_t* pixels, size_t count) {
  byChannel(pixels, count, [](const Counts& counts, uint8_t* table) {
    int low = counts.first(), high = counts.last();
    if (high <= low) return false;
    double scale = 255. / (high - low);
    for (int i = 0; i < 256; i++) table[i] = uint8_t(std::min(255., std::max(0., std::trunc(i * scale - low * scale))));
    return true;
  });
}

void equalize(uint8_t* pixels, size_t count) {
  byChannel(pixels, count, [count](const Counts& counts, uint8_t* table) {
    size_t step = (count - counts.of[counts.last()]) / 255;
    if (step == 0) return false;
    size_t below = step / 2;
    for (int i = 0; i < 256; i++) {
      table[i] = uint8_t(std::min<size_t>(255, below / step));
      below += counts.of[i];
    }
    return true;
  });
}

void clahe(uint8_t* pixels, int width, int height, double clip, int tiles) {
  int columns = std::min(tiles, width), rows = std::min(tiles, height);
  std::vector<uint8_t> lumas(size_t(width) * size_t(height));
  for (size_t i = 0; i < lumas.size(); i++) lumas[i] = uint8_t(grey(pixels + 3 * i));
  std::vector<double> maps(size_t(columns) * size_t(rows) * 256);
  auto edge = [](int at, int length, int count) { return int(int64_t(at) * length / count); };
  for (int row = 0; row < rows; row++)
    for (int column = 0; column < columns; column++) {
      int left = edge(column, width, columns), right = edge(column + 1, width, columns);
      int top = edge(row, height, rows), bottom = edge(row + 1, height, rows);
      double counts[256] = {};
      for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++) counts[lumas[size_t(y) * size_t(width) + size_t(x)]]++;
      tileMap(counts, (right - left) * (bottom - top), clip, maps.data() + 256 * (size_t(row) * size_t(columns) + size_t(column)));
    }
  Neighbours across(width, columns), down(height, rows);
  for (int y = 0, at = 0; y < height; y++) {
    const double *above = maps.data() + 256 * size_t(down.first[y] * columns),
                 *below = maps.data() + 256 * size_t(down.second[y] * columns);
    double t = down.share[y];
    for (int x = 0; x < width; x++, at++) {
      int old = lumas[size_t(at)];
      size_t left = size_t(256 * across.first[x] + old), right = size_t(256 * across.second[x] + old);
      double s = across.share[x];
      double top = (1 - s) * above[left] + s * above[right], bottom = (1 - s) * below[left] + s * below[right];
      double change = (1 - t) * top + t * bottom - old;
      uint8_t* pixel = pixels + 3 * size_t(at);
      for (int k = 0; k < 3; k++) pixel[k] = toByte(pixel[k] + change);
    }
  }
}

void shiftHsv(uint8_t* pixels, size_t count, double turn, double saturation, double value) {
  for (size_t i = 0; i < count; i++, pixels += 3) {
    double r = pixels[0], g = pixels[1], b = pixels[2];
    double most = std::max({r, g, b}), range = most - std::min({r, g, b});
    double s = range == 0 ? 0 : clamp(range / most + saturation), v = 255 * clamp(most / 255 + value);
    double sixths = range == 0 ? 0 : most == r ? (g - b) / range : most == g ? 2 + (b - r) / range : 4 + (r - g) / range;
    double h = 6 * turn + sixths;
    pixels[0] = toByte(v - v * s * lack(h + 5));
    pixels[1] = toByte(v - v * s * lack(h + 3));
    pixels[2] = toByte(v - v * s * lack(h + 1));
  }
}

void addNoise(uint8_t* bytes, size_t count, double deviation, uint32_t seed) {
  constexpr double kPi = 3.141592653589793, kRange = 4294967296.;
  std::mt19937 twister(seed);
  for (size_t i = 0; i < count; i += 2) {
    double radius = deviation * std::sqrt(-2 * std::log((double(twister()) + 1) / kRange));
    double angle = (2 * kPi * double(twister())) / kRange;
    bytes[i] = toByte(bytes[i] + radius * std::cos(angle));
    if (i + 1 < count) bytes[i + 1] = toByte(bytes[i + 1] + radius * std::sin(angle));
  }
}

}  // namespace millrace::images
