#include "page-out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <string>

namespace millrace {
namespace {

/** Below this a file costs more than it saves. */
constexpr size_t kWorthAFile = size_t(1) << 20;

/** Read once, as the addon is loaded: later another thread may change the environment. */
const std::string& folder() {
  static const std::string name = [] {
    const char* given = getenv("TMPDIR");
    return std::string(given && *given ? given : "/var/tmp");
  }();
  return name;
}
[[maybe_unused]] const std::string& readEarly = folder();

std::atomic<size_t> inFiles{0};

struct File {
  int descriptor;
  explicit File(std::string path) : descriptor(mkostemp(path.data(), O_CLOEXEC)) {
    if (descriptor >= 0) unlink(path.c_str());
  }
  ~File() {
    if (descriptor >= 0) close(descriptor);
  }
  bool write(const char* from, size_t bytes) const {
    while (bytes > 0) {
      ssize_t written = ::write(descriptor, from, bytes);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      from += written;
      bytes -= size_t(written);
    }
    return true;
  }
};

}  // namespace

size_t bytesInFiles() { return inFiles; }

void pageOut(Buffer& buffer) {
  size_t bytes = buffer->bytes;
  if (buffer->inFile) {
    // Shared with the file, so that nothing is lost that somebody wrote.
    madvise(buffer->data, bytes, MADV_DONTNEED);
    return;
  }
  if (bytes < kWorthAFile) return;
  // A template, as mkostemp wants it: the Xs become the name.
  File file(folder() + "/millrace-XXXXXX");
  if (file.descriptor < 0 || !file.write(static_cast<char*>(buffer->data), bytes)) return;
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.descriptor, 0);
  if (data == MAP_FAILED) return;
  inFiles += bytes;
  buffer = Buffer(new Block{data, bytes, 0, true}, [](Block* block) {
    munmap(block->data, block->bytes);
    inFiles -= block->bytes;
    delete block;
  });
}

}  // namespace millrace
