#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "slot.h"

namespace millrace {

class Engine;

/** The most numbers in a tensor: JavaScript counts them exactly, and their bytes fit into 64 bits. */
constexpr size_t kMostNumbers = size_t(1) << 53;

/** A product of sizes. Throws where it exceeds `kMostNumbers`: no size is multiplied but by this. */
size_t product(std::initializer_list<size_t> sizes);

/** What JavaScript gives with a call of a kernel: tensors by number, and how many numbers each result has. */
struct Given {
  std::vector<int64_t> outs, ins;
  std::vector<double> numbers, sizes;
};

/**
 * One call of a kernel, checked as it is read.
 *
 * A kernel has no other way to its arguments, whose places have names (`Arguments`): sizes are whole numbers from 0; a tensor exists, has the type that is
 * asked for and exactly so many numbers; a result has as many as JavaScript takes it to have. What does not fit throws.
 */
class Call {
 public:
  Call() = default;
  explicit Call(Given given) : given(std::move(given)) {}

  Engine* engine = nullptr;
  std::vector<Buffer> scratch;

  /** A whole number: an offset or a stride. */
  int64_t whole(size_t i) const;
  /** A size: a whole number from 0. */
  size_t size(size_t i) const;
  /** A size that something is divided by, from 1. */
  size_t divisor(size_t i) const;
  bool flag(size_t i) const { return whole(i) != 0; }
  /** A member of an enum that JavaScript knows by name. */
  template <typename Enum>
  Enum choice(size_t i) const {
    return Enum(upTo(i, int64_t(countNames(namesOf(Enum()))) - 1));
  }
  /** The type of a result: JavaScript has none in bf16. */
  Type type(size_t i) const { return Type(upTo(i, int64_t(Type::u8))); }
  double number(size_t i) const;

  size_t numbers() const { return given.numbers.size(); }
  size_t inputs() const { return given.ins.size(); }
  size_t outputs() const { return given.outs.size(); }

  bool has(size_t i) const { return i < given.ins.size() && given.ins[i] >= 0; }
  /** An input however many numbers it has: what it is used for goes by its `count`. */
  Slot& in(size_t i) const;
  Slot& in(size_t i, size_t count) const;
  /** An input's numbers as f32; a bf16 input is converted for the duration of the call. */
  const float* f32(size_t i, size_t count);
  const int32_t* i32(size_t i, size_t count) const { return in(i, count).data<int32_t>(); }
  const uint8_t* u8(size_t i, size_t count) const { return in(i, count).data<uint8_t>(); }

  Slot& out(size_t i, Type type, size_t count);
  float* outF32(size_t i, size_t count) { return out(i, Type::f32, count).data<float>(); }
  template <typename T>
  T* temp(size_t count) {
    scratch.push_back(allocate(product({count, sizeof(T)})));
    return static_cast<T*>(scratch.back()->data);
  }

 private:
  int64_t upTo(size_t i, int64_t last) const;
  Given given;
};

/** A box of numbers in a tensor: a first one, and a count and a stride along each dimension. */
struct Box {
  std::vector<int64_t> shape, strides;
  int64_t at = 0;

  size_t count() const;
  /** Throws unless the whole box is inside a tensor of this many numbers. */
  void mustLieIn(size_t numbers) const;
};

}  // namespace millrace
