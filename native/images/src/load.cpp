#include "load.h"

#include <cstdio>
#include <memory>

#include "jpeg.h"
#include "png.h"
#include "resize.h"
#include "scratch.h"

namespace millrace::images {
namespace {

/** Files above this are left to the other decoder, which reads them in parts. */
constexpr long MOST_BYTES = 1l << 28;

/** The bytes of a file, in `memory`; null where it is not read. */
const uint8_t* readFile(const std::string& path, Scratch<uint8_t>& memory, size_t& length) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file || std::fseek(file.get(), 0, SEEK_END) != 0) return nullptr;
  long size = std::ftell(file.get());
  if (size < 4 || size > MOST_BYTES || std::fseek(file.get(), 0, SEEK_SET) != 0) return nullptr;
  length = size_t(size);
  uint8_t* bytes = memory.room(length);
  return std::fread(bytes, 1, length, file.get()) == length ? bytes : nullptr;
}

/** Ids to classes, at the size of the job; false for an id that is not declared, wherever it lies. */
template <typename Value>
bool classesOf(const Value* ids, const Ids& size, const LoadJob& job) {
  int16_t least = 0;
  for (size_t i = 0; i < size_t(size.width) * size_t(size.height); i++)
    least = job.classes[ids[i]] < least ? job.classes[ids[i]] : least;
  if (least < 0) return false;
  auto classOf = [&](Value id) { return uint8_t(job.classes[id]); };
  resizeNearest(ids, size.width, size.height, job.width, job.height, classOf, job.maskOut);
  return true;
}

/** The bytes of a source, in `memory` where they are read. */
bool open(const Source& source, Scratch<uint8_t>& memory, const uint8_t*& bytes, size_t& size) {
  size = source.size;
  bytes = source.bytes ? source.bytes : readFile(source.path, memory, size);
  return bytes;
}

}  // namespace

bool load(const LoadJob& job) {
  static thread_local Scratch<uint8_t> file;
  static thread_local Decoded decoded;
  static thread_local Ids ids;
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  if (!open(job.image, file, bytes, size)) return false;
  int width = job.fast ? job.width : 0, height = job.fast ? job.height : 0;
  if (!decodeJpeg(bytes, size, job.mostPixels, width, height, decoded)) return false;
  if (!job.mask.none()) {
    if (!open(job.mask, file, bytes, size) || !readIds(bytes, size, job.mostPixels, ids)) return false;
    if (ids.width != decoded.fullWidth || ids.height != decoded.fullHeight) return false;
    if (!(ids.deep ? classesOf(ids.wide, ids, job) : classesOf(ids.bytes, ids, job))) return false;
  }
  resizeBilinear({decoded.pixels, decoded.width, decoded.height, 3}, job.width, job.height, job.imageOut);
  return true;
}

}  // namespace millrace::images
