#pragma once
#include "engine.h"

namespace millrace {

/** A batch of matrices in memory; strides count elements: one per batch dimension (0 repeats), row, column. */
struct Matrix {
  void* data = nullptr;
  Type type = Type::f32;
  std::vector<int64_t> strides;
};

/** c = a·b (+ bias, a row) (+ what is added) (+ c), with f32 accumulation whatever the types. */
struct Gemm {
  std::vector<int64_t> batch;
  int64_t m = 0, n = 0, k = 0;
  Matrix a, b, c;
  /** f32, one number per column. */
  const float* bias = nullptr;
  /** Matrices of c's shape, none of them in c's memory: oneDNN adds them faster than c itself. */
  std::vector<Matrix> added;
  bool accumulate = false;
  /** Where b is a weight: its slot, which then keeps b in the layout that the product likes best. */
  Slot* weight = nullptr;
};

/** The first key of the packings that are integers; those of oneDNN's layouts lie below. */
constexpr int kIntegerPackings = 64;
/** From here on products read the weight in this layout; a frozen weight's own numbers wait in a file. */
void keepPacking(Call& call, Slot& weight, int key, std::shared_ptr<Packing> made);

/** One matrix product on all threads. */
void gemm(Call& call, const Gemm& product);

/** A given count of an input's numbers in the given float type, converted for the duration of the call if necessary. */
void* as(Call& call, size_t input, Type type, size_t count);

/** Name and version of what runs the products. */
std::string gemmLibrary();
/** Whether this processor multiplies bf16 faster than f32. */
bool hasFastBf16();

}  // namespace millrace
