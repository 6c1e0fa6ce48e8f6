#pragma once
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "names.h"
#include "pool.h"

namespace millrace {

/** How a tensor's numbers are stored. tfjs sees bf16 as float32. */
NAMED_ENUM(Type, f32, i32, u8, bf16)
inline size_t sizeOf(Type type) {
  return type == Type::u8 ? 1 : type == Type::bf16 ? 2 : 4;
}
inline bool isFloat(Type type) { return type == Type::f32 || type == Type::bf16; }

template <typename T>
constexpr Type typeOf() {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, int32_t> || std::is_same_v<T, uint8_t> ||
                std::is_same_v<T, uint16_t>);
  return std::is_same_v<T, float> ? Type::f32 : std::is_same_v<T, int32_t> ? Type::i32 : std::is_same_v<T, uint8_t> ? Type::u8 : Type::bf16;
}

/** What a matrix product may keep of a weight: the weight in another layout. */
struct Packing {
  virtual ~Packing() = default;
};

/** A tensor: numbers, and the layouts of them that were made on the way. */
struct Slot {
  Type type = Type::f32;
  size_t count = 0;
  Buffer buffer;
  /** Whether the numbers came from JavaScript; a weight that trains is a kernel's result from its first step on. */
  bool written = false;
  std::vector<std::pair<int, std::shared_ptr<Packing>>> packings;

  /** The numbers, whose type must be T's: uint16_t stands for bf16. */
  template <typename T>
  T* data() const {
    if (type != typeOf<T>()) throw std::runtime_error("expected a tensor of another type");
    return static_cast<T*>(buffer->data);
  }
  /** The numbers as they lie in memory. */
  char* bytes() const { return static_cast<char*>(buffer->data); }
};

}  // namespace millrace
