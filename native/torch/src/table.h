#pragma once
#include "torch.h"

namespace millrace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

/** A tensor that JavaScript holds, and what kernels keep of it. */
struct Slot {
  Tensor tensor;
  /** Whether the numbers came from JavaScript; a weight that trains is a kernel's result from its first step on. */
  bool written = false;
  /** A written weight as products read it, where they round their factors. */
  Tensor rounded;
  /** What a kernel's gradient needs beside this result. */
  Tensors beside;
};

/**
 * The tensors that JavaScript holds, by numbers that are never used twice: a freed one is refused, not mistaken.
 *
 * No tensor is ever written to once it is here, so that results may share the memory of inputs.
 */
class Table {
 public:
  at::Device device = at::kCPU;
  /** What products round their factors to; float for not at all. */
  at::ScalarType precision = at::kFloat;

  int64_t add(Slot slot);
  void free(int64_t id) { slots.erase(id); }
  /** Throws for a number whose tensor is freed, or never was. */
  Slot& at(int64_t id);
  /** A tensor on the device, in the type in which it is held. */
  Tensor tensor(int64_t id);
  /** A weight as products read it; frozen ones are rounded once, and their f32 numbers then leave the device. */
  Tensor weight(int64_t id);
  /** Drops what was rounded to another precision. */
  void forgetRounded();

  size_t size() const { return slots.size(); }
  /** Bytes of all tensors, memory that several share counted once. */
  size_t bytes() const;

 private:
  std::unordered_map<int64_t, Slot> slots;
  int64_t next = 0;
};

/** "[8, 197, 768]". */
std::string written(at::IntArrayRef shape);

}  // namespace millrace
