#include "png.h"

#include <cstdlib>
#include <cstring>
#include <vector>

#include "zlib.h"

namespace millrace::images {
namespace {

constexpr uint8_t SIGNATURE[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
/** The most bytes that deflate packs into one. */
constexpr size_t DENSEST = 1032;
constexpr int Z_STREAM_END = 1, Z_FINISH = 4;

struct Part {
  const uint8_t* bytes;
  size_t size;
};

inline uint32_t u32(const uint8_t* at) {
  return uint32_t(at[0]) << 24 | uint32_t(at[1]) << 16 | uint32_t(at[2]) << 8 | at[3];
}

/** Finds the header and the packed pixels; false for a file that is damaged, cut short or has EXIF data. */
bool chunks(const uint8_t* bytes, size_t size, const uint8_t*& header, std::vector<Part>& packed) {
  if (size < sizeof(SIGNATURE) || std::memcmp(bytes, SIGNATURE, sizeof(SIGNATURE)) != 0) return false;
  for (size_t at = sizeof(SIGNATURE); at + 12 <= size;) {
    size_t length = u32(bytes + at);
    if (length > size - at - 12) return false;
    const uint8_t* type = bytes + at + 4;
    const uint8_t* content = bytes + at + 8;
    if (crc32(0, type, unsigned(length + 4)) != u32(content + length)) return false;
    if (!header && (std::memcmp(type, "IHDR", 4) != 0 || length != 13)) return false;
    if (!header) header = content;
    if (std::memcmp(type, "IDAT", 4) == 0) packed.push_back({content, length});
    if (std::memcmp(type, "eXIf", 4) == 0) return false;
    if (std::memcmp(type, "IEND", 4) == 0) return true;
    at += length + 12;
  }
  return false;
}

/** Unpacks exactly `size` bytes. */
bool unpack(const std::vector<Part>& parts, uint8_t* out, size_t size) {
  ZStream stream = {};
  if (size > 0xffffffffu || inflateInit_(&stream, "1.2.11", int(sizeof(stream))) != 0) return false;
  stream.next_out = out;
  stream.avail_out = unsigned(size);
  int status = 0;
  for (const Part& part : parts) {
    if (status == Z_STREAM_END) status = -1;
    if (status != 0) break;
    stream.next_in = part.bytes;
    stream.avail_in = unsigned(part.size);
    while (status == 0 && stream.avail_in > 0) {
      unsigned before = stream.avail_in;
      status = inflate(&stream, 0);
      if (status == 0 && stream.avail_in == before) status = -1;
    }
  }
  bool whole = status == Z_STREAM_END && stream.avail_in == 0 && stream.avail_out == 0;
  inflateEnd(&stream);
  return whole;
}

inline uint8_t paeth(int left, int up, int corner) {
  int toLeft = std::abs(up - corner), toUp = std::abs(left - corner), toCorner = std::abs(left + up - 2 * corner);
  return uint8_t(toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner);
}

/** Reverts the filter of one line in place; `above` is the line before, or zeros. */
bool unfilter(int filter, uint8_t* line, const uint8_t* above, size_t stride, size_t step) {
  uint8_t* end = line + stride;
  switch (filter) {
    case 0: return true;
    case 1:
      for (size_t i = step; i < stride; i++) line[i] = uint8_t(line[i] + line[i - step]);
      return true;
    case 2:
      for (size_t i = 0; i < stride; i++) line[i] = uint8_t(line[i] + above[i]);
      return true;
    case 3:
      for (size_t i = 0; i < stride; i++) line[i] = uint8_t(line[i] + (((i < step ? 0 : line[i - step]) + above[i]) >> 1));
      return true;
    case 4:
      for (size_t i = 0; i < step && line + i < end; i++) line[i] = uint8_t(line[i] + above[i]);
      for (size_t i = step; i < stride; i++) line[i] = uint8_t(line[i] + paeth(line[i - step], above[i], above[i - step]));
      return true;
    default: return false;
  }
}

/** A line of 1, 2 or 4 bits a value, most significant first: one value a byte. */
void spread(const uint8_t* line, int width, int depth, uint8_t* out) {
  int mask = (1 << depth) - 1;
  for (int x = 0, bit = 0; x < width; x++, bit += depth) out[x] = uint8_t(line[bit >> 3] >> (8 - depth - (bit & 7)) & mask);
}

}  // namespace

bool readIds(const uint8_t* bytes, size_t size, size_t mostPixels, Ids& ids) {
  const uint8_t* header = nullptr;
  std::vector<Part> packed;
  if (!hasZlib() || !chunks(bytes, size, header, packed)) return false;
  size_t width = u32(header), height = u32(header + 4);
  int depth = header[8], colour = header[9];
  bool known = depth == 1 || depth == 2 || depth == 4 || depth == 8 || (depth == 16 && colour == 0);
  if (!known || (colour != 0 && colour != 3) || header[10] != 0 || header[11] != 0 || header[12] != 0) return false;
  if (width == 0 || height == 0 || width > mostPixels || height > mostPixels || width * height > mostPixels) return false;

  size_t stride = (width * size_t(depth) + 7) / 8, total = (stride + 1) * height, sum = 0;
  for (const Part& part : packed) sum += part.size;
  if (total > sum * DENSEST) return false;
  static thread_local Scratch<uint8_t> memory;
  uint8_t* lines = memory.room(total);
  std::vector<uint8_t> zeros(stride);
  if (!unpack(packed, lines, total)) return false;

  ids.width = int(width);
  ids.height = int(height);
  ids.deep = depth == 16;
  if (ids.deep) ids.wide = ids.wideMemory.room(width * height);
  else ids.bytes = ids.byteMemory.room(width * height);
  const uint8_t* above = zeros.data();
  for (size_t y = 0; y < height; y++) {
    uint8_t* line = lines + y * (stride + 1) + 1;
    if (!unfilter(line[-1], line, above, stride, depth == 16 ? 2 : 1)) return false;
    above = line;
    if (depth == 8) std::memcpy(ids.bytes + y * width, line, width);
    else if (depth < 8) spread(line, int(width), depth, ids.bytes + y * width);
    else
      for (size_t x = 0; x < width; x++) ids.wide[y * width + x] = uint16_t(line[2 * x] << 8 | line[2 * x + 1]);
  }
  return true;
}

}  // namespace millrace::images
