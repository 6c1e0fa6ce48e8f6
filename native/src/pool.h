#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

namespace millrace {

/** A block of 64-byte aligned memory; it returns to the pool when the last owner releases it. */
struct Block {
  void* data = nullptr;
  size_t bytes = 0;     // asked for
  size_t reserved = 0;  // really taken
  bool inFile = false;  // see pageOut
};
using Buffer = std::shared_ptr<Block>;

/**
 * Memory from a pool that all threads share, on huge pages where the system grants them.
 *
 * Freed memory is kept for the next request, since fresh pages cost more than most kernels; what no recent peak
 * needed goes back to the system. Throws std::bad_alloc.
 */
Buffer allocate(size_t bytes);

struct PoolUse {
  size_t inUse;     // bytes in live blocks
  size_t reserved;  // bytes taken from the system
};
PoolUse poolUse();

/** Gives what is unused back to the system. */
void trimPool();

}  // namespace millrace
