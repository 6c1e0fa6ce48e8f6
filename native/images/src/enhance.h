#pragma once
#include <cstddef>
#include <cstdint>

// Changes of RGB bytes in place, with the bytes of their twins in src/data/pixels.
namespace millrace::images {

/** Pillow's `ImageEnhance`: from or to the mean grey, each pixel's grey, or the mean of its neighbours. */
void contrast(uint8_t* pixels, size_t count, double factor);
void saturation(uint8_t* pixels, size_t count, double factor);
void sharpness(uint8_t* pixels, int width, int height, double factor);

/** Pillow's `ImageOps`. */
void autocontrast(uint8_t* pixels, size_t count);
void equalize(uint8_t* pixels, size_t count);

/** Equalises the luma by tiles, at most `tiles` along each side, with a limit of `clip` times the mean count. */
void clahe(uint8_t* pixels, int width, int height, double clip, int tiles);

/** Turns the hues, and shifts saturation and value. */
void shiftHsv(uint8_t* pixels, size_t count, double turn, double saturation, double value);

/**
 * Adds normal noise to `count` bytes. Its logarithm, sine and cosine are the C library's, which may differ from V8's in the
 * last bit of a double: a byte then differs where a sum lies within that of a half.
 */
void addNoise(uint8_t* bytes, size_t count, double deviation, uint32_t seed);

}  // namespace millrace::images
