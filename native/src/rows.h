#pragma once
#include <cmath>

#include "engine.h"
#include "loops.h"
#include "parallel.h"

namespace millrace {

/** How many numbers a kernel treats at a time: they stay in the first-level cache, as f32 whatever the storage. */
constexpr size_t kChunk = 2048;
/** The count of numbers below which a second thread costs more than it gains. */
constexpr size_t kWorthSplitting = 16384;
/** How many rows of `n` numbers are worth a thread. */
inline size_t worthSplitting(size_t n) { return std::max<size_t>(1, kWorthSplitting / std::max<size_t>(1, n)); }

/** `n` numbers from place `at` as f32: in place, or converted into `buffer`. */
inline const float* load(const Slot& slot, size_t at, size_t n, float* buffer) {
  if (slot.type == Type::f32) return slot.data<float>() + at;
  loops().toF32(slot.data<uint16_t>() + at, buffer, n);
  return buffer;
}

/** Where to write f32 numbers that belong at `at`; `store` then converts them. */
inline float* target(const Slot& slot, size_t at, float* buffer) {
  return slot.type == Type::f32 ? slot.data<float>() + at : buffer;
}

inline void store(const Slot& slot, size_t at, size_t n, const float* buffer) {
  if (slot.type == Type::bf16) loops().toBf16(buffer, slot.data<uint16_t>() + at, n);
}

/** Calls `work(at, n)` for chunks that cover [0, count), on all threads. */
template <typename Work>
void inChunks(size_t count, Work work) {
  size_t chunks = (count + kChunk - 1) / kChunk;
  parallelFor(chunks, kWorthSplitting / kChunk, [&](size_t b, size_t e) {
    for (size_t i = b; i < e; i++) work(i * kChunk, std::min(kChunk, count - i * kChunk));
  });
}

/** Room for a row of `n` numbers: on the stack where it fits. */
struct RowBuffer {
  explicit RowBuffer(size_t n) {
    if (n > kChunk) heap.reset(new float[n]);
  }
  float* data() { return heap ? heap.get() : stack; }
  float stack[kChunk];
  std::unique_ptr<float[]> heap;
};

/** One number of any type. */
inline double numberAt(const Slot& slot, size_t i) {
  switch (slot.type) {
    case Type::f32: return slot.data<float>()[i];
    case Type::i32: return slot.data<int32_t>()[i];
    case Type::u8: return slot.data<uint8_t>()[i];
    case Type::bf16: {
      float y;
      loops().toF32(slot.data<uint16_t>() + i, &y, 1);
      return y;
    }
  }
  return 0;
}

/** The whole number that JavaScript makes of x: towards zero, modulo 2³², NaN and ±∞ to 0. */
inline int32_t toWhole(double x) {
  if (std::fabs(x) < 2147483648.0) return int32_t(x);
  return std::isfinite(x) ? int32_t(uint32_t(int64_t(std::fmod(x, 4294967296.0)))) : 0;
}

inline void setNumber(const Slot& slot, size_t i, double value) {
  switch (slot.type) {
    case Type::f32: slot.data<float>()[i] = float(value); break;
    case Type::i32: slot.data<int32_t>()[i] = toWhole(value); break;
    case Type::u8: slot.data<uint8_t>()[i] = value != 0; break;
    case Type::bf16: {
      float x = float(value);
      loops().toBf16(&x, slot.data<uint16_t>() + i, 1);
    }
  }
}

}  // namespace millrace
