#include "load.h"

#include <cstdio>
#include <memory>
#include <vector>

#include "jpeg.h"
#include "png.h"
#include "resize.h"

namespace millrace::images {
namespace {

/** Files above this are left to the other decoder, which reads them in parts. */
constexpr long MOST_BYTES = 1l << 28;

bool readFile(const std::string& path, std::vector<uint8_t>& bytes) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file || std::fseek(file.get(), 0, SEEK_END) != 0) return false;
  long size = std::ftell(file.get());
  if (size < 4 || size > MOST_BYTES || std::fseek(file.get(), 0, SEEK_SET) != 0) return false;
  bytes.resize(size_t(size));
  return std::fread(bytes.data(), 1, bytes.size(), file.get()) == bytes.size();
}

/** Ids to classes, at the size of the job; false for an id that is not declared, wherever it lies. */
template <typename Value>
bool classesOf(const std::vector<Value>& ids, const Ids& size, const LoadJob& job) {
  int16_t least = 0;
  for (Value id : ids) least = job.classes[id] < least ? job.classes[id] : least;
  if (least < 0) return false;
  auto classOf = [&](Value id) { return uint8_t(job.classes[id]); };
  resizeNearest(ids.data(), size.width, size.height, job.width, job.height, classOf, job.maskOut);
  return true;
}

/** The bytes of a source, in `own` where they are read. */
bool open(const Source& source, std::vector<uint8_t>& own, const uint8_t*& bytes, size_t& size) {
  if (!source.bytes && !readFile(source.path, own)) return false;
  bytes = source.bytes ? source.bytes : own.data();
  size = source.bytes ? source.size : own.size();
  return true;
}

}  // namespace

bool load(const LoadJob& job) {
  std::vector<uint8_t> own;
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  Decoded decoded;
  if (!open(job.image, own, bytes, size)) return false;
  int width = job.fast ? job.width : 0, height = job.fast ? job.height : 0;
  if (!decodeJpeg(bytes, size, job.mostPixels, width, height, decoded)) return false;
  if (!job.mask.none()) {
    Ids ids;
    if (!open(job.mask, own, bytes, size) || !readIds(bytes, size, job.mostPixels, ids)) return false;
    if (ids.width != decoded.fullWidth || ids.height != decoded.fullHeight) return false;
    if (!(ids.wide.empty() ? classesOf(ids.bytes, ids, job) : classesOf(ids.wide, ids, job))) return false;
  }
  resizeBilinear({decoded.pixels.data(), decoded.width, decoded.height, 3}, job.width, job.height, job.imageOut);
  return true;
}

}  // namespace millrace::images
