#include "pool.h"

#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <vector>

namespace millrace {
namespace {

constexpr size_t kAlign = 64;
constexpr size_t kLarge = size_t(2) << 20;   // from here on blocks are mapped one by one
constexpr size_t kSlab = size_t(1) << 20;    // small blocks are cut from slabs
constexpr size_t kSmall = size_t(32) << 10;  // up to here
constexpr size_t kIdle = size_t(64) << 20;   // unused bytes that are always worth keeping

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
  std::map<size_t, std::vector<void*>> free;  // by size
  size_t idle = 0;                            // bytes in `free` from kSmall up

  static size_t sizeOf(size_t bytes) {
    if (bytes <= kSmall) {
      size_t size = kAlign;
      while (size < bytes) size *= 2;
      return size;
    }
    size_t step = bytes < kLarge ? (size_t(16) << 10) : (size_t(256) << 10);
    return (bytes + step - 1) / step * step;
  }

  static void* map(size_t size) {
    size_t padded = size + kLarge;
    void* raw = mmap(nullptr, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) throw std::bad_alloc();
    auto start = reinterpret_cast<uintptr_t>(raw);
    auto aligned = (start + kLarge - 1) / kLarge * kLarge;
    if (aligned > start) munmap(raw, aligned - start);
    if (start + padded > aligned + size)
      munmap(reinterpret_cast<void*>(aligned + size), start + padded - aligned - size);
#ifdef MADV_HUGEPAGE
    madvise(reinterpret_cast<void*>(aligned), size, MADV_HUGEPAGE);
#endif
    return reinterpret_cast<void*>(aligned);
  }

  void release(size_t size, void* data) {
    if (size >= kLarge)
      munmap(data, size);
    else
      std::free(data);
    reservedTotal -= size;
  }

  /** A free block of this size, or of up to an eighth more. */
  void* reuse(size_t& size) {
    auto found = free.lower_bound(size);
    if (found == free.end() || found->first > size + (size > kSmall ? size / 8 : 0)) return nullptr;
    void* data = found->second.back();
    found->second.pop_back();
    size = found->first;
    if (found->second.empty()) free.erase(found);
    if (size > kSmall) idle -= size;
    return data;
  }

  void slab(size_t size) {
    char* data = static_cast<char*>(std::aligned_alloc(kAlign, kSlab));
    if (!data) throw std::bad_alloc();
    reservedTotal += kSlab;
    auto& list = free[size];
    for (size_t at = 0; at + size <= kSlab; at += size) list.push_back(data + at);
  }

  /** Drops the largest unused blocks until at most `limit` bytes lie idle. */
  void trim(size_t limit) {
    while (idle > limit) {
      auto last = std::prev(free.end());
      release(last->first, last->second.back());
      idle -= last->first;
      last->second.pop_back();
      if (last->second.empty()) free.erase(last);
    }
  }

  Block* take(size_t bytes) {
    size_t size = sizeOf(bytes);
    std::lock_guard<std::mutex> lock(mutex);
    void* data = reuse(size);
    if (!data && size <= kSmall) {
      slab(size);
      data = reuse(size);
    }
    if (!data) {
      // Rather than grow beside idle blocks of the wrong size, let those go first.
      trim(kIdle + inUse / 8);
      data = size >= kLarge ? map(size) : std::aligned_alloc(kAlign, size);
      if (!data) throw std::bad_alloc();
      reservedTotal += size;
    }
    return new Block{data, bytes, size};
  }

  void give(Block* block) {
    std::lock_guard<std::mutex> lock(mutex);
    inUse -= block->bytes;
    free[block->reserved].push_back(block->data);
    if (block->reserved > kSmall) idle += block->reserved;
    trim(kIdle + reservedTotal / 2);
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
