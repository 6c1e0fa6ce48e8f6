#pragma once
#include "table.h"

namespace millrace {

/**
 * One call of a kernel: its inputs and attributes by the names that tfjs gives them, checked as they are read.
 *
 * What is missing or of another type throws. LibTorch checks the shapes of what it is given; a kernel checks what
 * LibTorch takes on trust.
 */
class Call {
 public:
  Call(Table& table, std::vector<std::string> names, std::vector<int64_t> ids, Napi::Object attrs)
      : table(table), names(std::move(names)), ids(std::move(ids)), attrs(attrs) {}

  Table& table;

  bool has(const char* name) const { return place(name) < ids.size(); }
  /** An input in the type in which it is held: a result of products may be rounded. */
  Tensor in(const char* name) const { return table.tensor(id(name)); }
  /** An input, its fractions in f32. */
  Tensor full(const char* name) const;
  /** An input as products read it. */
  Tensor factor(const char* name) const { return in(name).to(table.precision); }
  /** The same of a weight, rounded once where it is frozen. */
  Tensor weight(const char* name) const { return table.weight(id(name)); }
  /** What the kernel that made this input kept beside it. */
  const Tensors& beside(const char* name) const { return table.at(id(name)).beside; }
  /** Numbers of the inputs of a kernel that takes a list. */
  const std::vector<int64_t>& list() const { return ids; }
  Tensors all() const;

  double number(const char* name) const;
  double number(const char* name, double otherwise) const { return given(name) ? number(name) : otherwise; }
  int64_t whole(const char* name) const;
  int64_t whole(const char* name, int64_t otherwise) const { return given(name) ? whole(name) : otherwise; }
  bool flag(const char* name) const;
  std::string text(const char* name) const;
  /** A whole number, or an array of them; arrays within it are joined. */
  std::vector<int64_t> wholes(const char* name) const;
  /** The type that tfjs calls by this name; float where none is given. */
  at::ScalarType type(const char* name) const;
  bool given(const char* name) const;
  bool isArray(const char* name) const { return attrs.Get(name).IsArray(); }
  Napi::Array array(const char* name) const;

  at::TensorOptions options(at::ScalarType type) const { return at::TensorOptions(table.device).dtype(type); }
  /** The shapes of the inputs, for errors. */
  std::string shapes() const;

 private:
  size_t place(const char* name) const;
  int64_t id(const char* name) const;
  std::vector<std::string> names;
  std::vector<int64_t> ids;
  Napi::Object attrs;
};

/** A kernel's result: a tensor, or a list of them. */
struct Result {
  Result(Tensor tensor) : tensors{std::move(tensor)}, list(false) {}
  Result(Tensors tensors) : tensors(std::move(tensors)), list(true) {}

  Tensors tensors;
  bool list;
  /** What is kept beside the last of them. */
  Tensors beside;
};

using Kernel = std::function<Result(Call&)>;

/** Kernels by tfjs's names, filled before main by the files that define them. */
struct Registry {
  std::vector<std::string> names;
  std::vector<Kernel> kernels;
  static Registry& get();
};

struct Kernels {
  Kernels(std::initializer_list<std::pair<const char*, Kernel>> table);
};

/** A whole number from JavaScript: an offset, a size or the number of a tensor. */
int64_t wholeOf(Napi::Value value);

/** An axis from the first, where it may count from the last; throws where there is none such. */
int64_t axisOf(int64_t axis, const Tensor& x);
/** Whole numbers and what is true or false as numbers that count. */
Tensor counted(const Tensor& x);
/** JavaScript's own cast: to whole numbers towards zero, and what is none to 0. */
Tensor cast(const Tensor& x, at::ScalarType type);
/** A tensor seen as a matrix: [..., n] → [rows, n]. */
Tensor rows(const Tensor& x);
/** The shape of x with another last size. */
std::vector<int64_t> resized(const Tensor& x, int64_t last);

}  // namespace millrace
