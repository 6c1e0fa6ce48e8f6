#include "call.h"

#include <cmath>
#include <cstdio>

#include "engine.h"
#include "loops.h"
#include "parallel.h"

namespace millrace {
namespace {

constexpr size_t kGrain = 16384;

std::string written(double x) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.16g", x);
  return text;
}

[[noreturn]] void expected(const std::string& what, const std::string& got) {
  throw std::runtime_error("expected " + what + ", got " + got);
}

}  // namespace

size_t product(std::initializer_list<size_t> sizes) {
  size_t result = 1;
  for (size_t size : sizes)
    if (size == 0) return 0;
  for (size_t size : sizes)
    if (__builtin_mul_overflow(result, size, &result) || result > kMostNumbers)
      throw std::runtime_error("expected at most 2^53 numbers in a tensor");
  return result;
}

int64_t Call::whole(size_t i) const {
  double x = number(i);
  if (!(x == std::floor(x) && std::fabs(x) <= double(kMostNumbers))) expected("a whole number up to 2^53", written(x));
  return int64_t(x);
}

size_t Call::size(size_t i) const {
  int64_t x = whole(i);
  if (x < 0) expected("a size from 0", std::to_string(x));
  return size_t(x);
}

size_t Call::divisor(size_t i) const {
  int64_t x = whole(i);
  if (x < 1) expected("a size from 1", std::to_string(x));
  return size_t(x);
}

int64_t Call::upTo(size_t i, int64_t last) const {
  int64_t x = whole(i);
  if (x < 0 || x > last) expected("a choice from 0 to " + std::to_string(last), std::to_string(x));
  return x;
}

double Call::number(size_t i) const {
  if (i >= given.numbers.size()) expected("more than " + std::to_string(i) + " numbers", "no more");
  return given.numbers[i];
}

Slot& Call::in(size_t i) const {
  if (!has(i)) expected("an input " + std::to_string(i), "none");
  return engine->slot(given.ins[i]);
}

Slot& Call::in(size_t i, size_t count) const {
  Slot& slot = in(i);
  if (slot.count != count)
    expected(std::to_string(count) + " numbers in input " + std::to_string(i), std::to_string(slot.count));
  return slot;
}

const float* Call::f32(size_t i, size_t count) {
  Slot& slot = in(i, count);
  if (slot.type == Type::f32) return slot.data<float>();
  if (slot.type != Type::bf16) throw std::runtime_error("expected a float tensor");
  float* copy = temp<float>(count);
  const uint16_t* from = slot.data<uint16_t>();
  parallelFor(count, kGrain, [&](size_t b, size_t e) { loops().toF32(from + b, copy + b, e - b); });
  return copy;
}

Slot& Call::out(size_t i, Type type, size_t count) {
  if (i >= given.outs.size() || i >= given.sizes.size()) expected("a result " + std::to_string(i), "none");
  if (given.sizes[i] != double(count))
    expected(written(given.sizes[i]) + " numbers in result " + std::to_string(i), std::to_string(count));
  Slot slot;
  slot.type = type;
  slot.count = count;
  slot.buffer = allocate(product({count, sizeOf(type)}));
  return engine->add(given.outs[i], std::move(slot));
}

size_t Box::count() const {
  size_t numbers = 1;
  for (int64_t n : shape)
    if (n == 0) return 0;
  for (int64_t n : shape) numbers = product({numbers, size_t(n)});
  return numbers;
}

void Box::mustLieIn(size_t numbers) const {
  if (count() == 0) return;
  int64_t first = at, last = at;
  bool overflows = false;
  for (size_t i = 0; i < shape.size() && !overflows; i++) {
    int64_t reach = 0;
    overflows = __builtin_mul_overflow(shape[i] - 1, strides[i], &reach);
    int64_t& end = reach < 0 ? first : last;
    overflows = overflows || __builtin_add_overflow(end, reach, &end);
  }
  if (overflows || first < 0 || last >= int64_t(numbers))
    throw std::runtime_error("expected what is read and written to lie within its tensor of " +
                             std::to_string(numbers) + " numbers");
}

}  // namespace millrace
