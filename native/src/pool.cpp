#include "pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <vector>

namespace millrace {
namespace {

constexpr size_t kAlign = 64;
constexpr size_t kHuge = size_t(2) << 20;     // a huge page
constexpr size_t kChunk = size_t(64) << 20;   // what is taken from the system at a time, at least
constexpr size_t kPage = size_t(4) << 10;     // larger blocks are multiples of it
constexpr size_t kSlab = size_t(1) << 20;     // small blocks are cut from slabs
constexpr size_t kSmall = size_t(32) << 10;   // up to here
constexpr size_t kWindow = 8192;              // how many allocations a peak is remembered for, at least

constexpr size_t kMost = size_t(1) << 46;     // more than any machine has

std::atomic<size_t> inUse{0}, reservedTotal{0};

#ifdef MILLRACE_ASAN

Buffer take(size_t bytes) {
  size_t size = (bytes + kAlign - 1) / kAlign * kAlign;
  void* data = std::aligned_alloc(kAlign, size ? size : kAlign);
  if (!data) throw std::bad_alloc();
  return Buffer(new Block{data, bytes, size}, [](Block* block) {
    inUse -= block->bytes;
    reservedTotal -= block->reserved;
    std::free(block->data);
    delete block;
  });
}

#else

struct Pool {
  std::mutex mutex;
  std::map<size_t, std::vector<void*>> small;  // free, by size
  std::map<char*, size_t> chunks;              // from the system, by address
  std::map<char*, size_t> holes;               // free ranges of chunks; neighbours are joined
  std::set<std::pair<size_t, char*>> bySize;   // the same, smallest first
  size_t taken = 0;                            // bytes of chunks in blocks
  size_t peak = 0, peakBefore = 0, allocations = 0;

  static size_t sizeOf(size_t bytes) {
    if (bytes > kSmall) return (bytes + kPage - 1) / kPage * kPage;
    size_t size = kAlign;
    while (size < bytes) size *= 2;
    return size;
  }

  void addHole(char* at, size_t size) {
    holes.emplace(at, size);
    bySize.emplace(size, at);
  }

  void removeHole(std::map<char*, size_t>::iterator hole) {
    bySize.erase({hole->second, hole->first});
    holes.erase(hole);
  }

  std::map<char*, size_t>::iterator chunkOf(char* at) { return std::prev(chunks.upper_bound(at)); }

  void grow(size_t size) {
    size_t bytes = (std::max(size, kChunk) + kHuge - 1) / kHuge * kHuge, padded = bytes + kHuge;
    void* raw = mmap(nullptr, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) throw std::bad_alloc();
    auto start = reinterpret_cast<uintptr_t>(raw), aligned = (start + kHuge - 1) / kHuge * kHuge;
    if (aligned > start) munmap(raw, aligned - start);
    if (start + padded > aligned + bytes)
      munmap(reinterpret_cast<void*>(aligned + bytes), start + padded - aligned - bytes);
    char* at = reinterpret_cast<char*>(aligned);
#ifdef MADV_HUGEPAGE
    madvise(at, bytes, MADV_HUGEPAGE);
#endif
    chunks.emplace(at, bytes);
    reservedTotal += bytes;
    addHole(at, bytes);
  }

  /** The smallest hole that is large enough, and of those the first in memory. */
  char* cut(size_t size) {
    auto found = bySize.lower_bound({size, nullptr});
    if (found == bySize.end()) {
      grow(size);
      found = bySize.lower_bound({size, nullptr});
    }
    auto [whole, at] = *found;
    removeHole(holes.find(at));
    if (whole > size) addHole(at + size, whole - size);
    return at;
  }

  void join(char* at, size_t size) {
    auto [start, bytes] = *chunkOf(at);
    auto next = holes.lower_bound(at);
    if (next != holes.end() && next->first == at + size && next->first < start + bytes) {
      size += next->second;
      removeHole(next);
    }
    auto before = holes.lower_bound(at);
    if (before != holes.begin()) {
      --before;
      if (before->first >= start && before->first + before->second == at) {
        at = before->first;
        size += before->second;
        removeHole(before);
      }
    }
    addHole(at, size);
  }

  /** Gives chunks that are wholly free back to the system while more than `limit` bytes are held. */
  void trim(size_t limit) {
    for (auto hole = holes.begin(); hole != holes.end() && reservedTotal > limit;) {
      auto chunk = chunks.find(hole->first);
      auto current = hole++;
      if (chunk == chunks.end() || chunk->second != current->second) continue;
      munmap(chunk->first, chunk->second);
      reservedTotal -= chunk->second;
      chunks.erase(chunk);
      removeHole(current);
    }
  }

  Block* take(size_t bytes) {
    size_t size = sizeOf(bytes);
    auto block = std::make_unique<Block>(Block{nullptr, bytes, size});
    std::lock_guard<std::mutex> lock(mutex);
    if (size > kSmall) {
      block->data = cut(size);
      taken += size;
    } else {
      auto& list = small[size];
      if (list.empty()) {
        char* slab = cut(kSlab);
        taken += kSlab;
        for (size_t at = kSlab; at >= size; at -= size) list.push_back(slab + at - size);
      }
      block->data = list.back();
      list.pop_back();
    }
    peak = std::max(peak, taken);
    if (++allocations % kWindow == 0) {
      // Blocks that are idle at the end of a training step are needed at its peak: only those no recent peak needed are freed.
      trim(std::max(peak, peakBefore) + 2 * kChunk);
      peakBefore = peak;
      peak = taken;
    }
    return block.release();
  }

  void give(Block* block) {
    std::lock_guard<std::mutex> lock(mutex);
    inUse -= block->bytes;
    if (block->reserved > kSmall) {
      taken -= block->reserved;
      join(static_cast<char*>(block->data), block->reserved);
    } else {
      small[block->reserved].push_back(block->data);
    }
    delete block;
  }
};

// Never destroyed: buffers may outlive every static object when the process ends.
Pool& pool() {
  static Pool* instance = new Pool;
  return *instance;
}

Buffer take(size_t bytes) {
  return Buffer(pool().take(bytes), [](Block* block) { pool().give(block); });
}

#endif

}  // namespace

Buffer allocate(size_t bytes) {
  if (bytes > kMost) throw std::bad_alloc();
  Buffer buffer = take(bytes);
  inUse += bytes;
#ifdef MILLRACE_ASAN
  reservedTotal += buffer->reserved;
#endif
  return buffer;
}

PoolUse poolUse() { return {inUse, reservedTotal}; }

void trimPool() {
#ifndef MILLRACE_ASAN
  std::lock_guard<std::mutex> lock(pool().mutex);
  pool().trim(0);
#endif
}

}  // namespace millrace
