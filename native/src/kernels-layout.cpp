#include <cstring>

#include "rows.h"

namespace millrace {
namespace {

/** A box of numbers to copy: its layout in an input and in the result. */
struct Part {
  Box in, out;
};

/** Drops dimensions of size 1 and joins neighbours that lie behind one another on both sides. */
Part joined(const Part& part) {
  Part r;
  auto& shape = r.in.shape;
  r.in.at = part.in.at;
  r.out.at = part.out.at;
  for (size_t i = 0; i < part.in.shape.size(); i++) {
    int64_t n = part.in.shape[i], in = part.in.strides[i], out = part.out.strides[i];
    if (n == 1) continue;
    if (!shape.empty() && r.in.strides.back() == in * n && r.out.strides.back() == out * n) {
      shape.back() *= n;
      r.in.strides.back() = in;
      r.out.strides.back() = out;
    } else {
      shape.push_back(n);
      r.in.strides.push_back(in);
      r.out.strides.push_back(out);
    }
  }
  r.out.shape = shape;
  return r;
}

template <typename T>
void copyPart(const void* input, void* result, const Part& given) {
  Part part = joined(given);
  const T* from = static_cast<const T*>(input) + part.in.at;
  T* to = static_cast<T*>(result) + part.out.at;
  const auto &shape = part.in.shape, &in = part.in.strides, &out = part.out.strides;
  if (shape.empty()) {
    *to = *from;
    return;
  }
  size_t last = shape.size() - 1;
  int64_t n = shape[last], si = in[last], so = out[last];
  size_t rows = 1;
  for (size_t d = 0; d < last; d++) rows *= size_t(shape[d]);
  auto row = [&](const T* x, T* y, int64_t m) {
    if (si == 1 && so == 1)
      std::memcpy(y, x, size_t(m) * sizeof(T));
    else if (so == 1)
      for (int64_t i = 0; i < m; i++) y[i] = x[i * si];
    else
      for (int64_t i = 0; i < m; i++) y[i * so] = x[i * si];
  };
  // Long rows are cut, so that a plain copy uses all threads too.
  size_t cut = 65536, pieces = (size_t(n) + cut - 1) / cut;
  parallelFor(rows * pieces, worthSplitting(std::min(size_t(n), cut)),
              [&](size_t begin, size_t end) {
                for (size_t unit = begin; unit < end; unit++) {
                  size_t rest = unit / pieces;
                  int64_t start = int64_t(unit % pieces * cut);
                  int64_t i = start * si, o = start * so;
                  for (size_t d = last; d-- > 0;) {
                    int64_t at = int64_t(rest % size_t(shape[d]));
                    rest /= size_t(shape[d]);
                    i += at * in[d];
                    o += at * out[d];
                  }
                  row(from + i, to + o, std::min<int64_t>(n - start, int64_t(cut)));
                }
              });
}

/**
 * Copies a strided box of each input into one result: transpose, slice, reverse, broadcast, pad, concatenate.
 *
 * The result has `count` numbers, and is filled first where `filled` says so. A box has `rank` sizes and, for the input
 * and for the result, as many strides and an offset.
 */
struct Assemble : Arguments {
  RESULTS(y);
  NUMBERS(count, filled, fill);
  struct Each : NoArguments {
    INPUTS(x);
    NUMBERS(rank, inAt, outAt, shape, inStrides, outStrides);
  };
  static void run(Call& c);
};

void Assemble::run(Call& c) {
  size_t count = c.size(Num::count);
  bool filled = c.flag(Num::filled);
  Type type = c.in(0).type;
  for (size_t i = 1; i < c.inputs(); i++)
    if (c.in(i).type != type) type = Type::f32;
  size_t at = Num::length, covered = 0;
  std::vector<Part> parts(c.inputs());
  for (size_t i = 0; i < parts.size(); i++) {
    auto& [in, out] = parts[i];
    using Num = Each::Num;
    size_t rank = c.size(at + Num::rank);
    for (size_t d = 0; d < rank; d++) {
      in.shape.push_back(int64_t(c.size(at + repeated(Num::shape, Num::shape, rank) + d)));
      in.strides.push_back(c.whole(at + repeated(Num::shape, Num::inStrides, rank) + d));
      out.strides.push_back(c.whole(at + repeated(Num::shape, Num::outStrides, rank) + d));
    }
    out.shape = in.shape;
    in.at = c.whole(at + Num::inAt);
    out.at = c.whole(at + Num::outAt);
    at += repeated(Num::shape, Num::length, rank);
    in.mustLieIn(c.in(i).count);
    out.mustLieIn(count);
    covered += in.count();
  }
  if (!filled && covered != count) throw std::runtime_error("expected parts that make up the whole result");
  Slot& y = c.out(Out::y, type, count);
  if (filled) {
    double value = c.number(Num::fill);
    if (value == 0)
      std::memset(y.bytes(), 0, count * sizeOf(type));
    else
      for (size_t i = 0; i < count; i++) setNumber(y, i, value);
  }
  for (size_t i = 0; i < parts.size(); i++) {
    if (parts[i].in.count() == 0) continue;
    Slot& x = c.in(i);
    const void* from = type == Type::f32 ? c.f32(i, x.count) : x.buffer->data;
    switch (sizeOf(type)) {
      case 4: copyPart<uint32_t>(from, y.bytes(), parts[i]); break;
      case 2: copyPart<uint16_t>(from, y.bytes(), parts[i]); break;
      default: copyPart<uint8_t>(from, y.bytes(), parts[i]);
    }
  }
}

/** A step along the axis has `inner` numbers; the number of steps of each result. */
struct Split : Arguments {
  INPUTS(x);
  NUMBERS(inner);
  struct Each : NoArguments {
    RESULTS(y);
    NUMBERS(steps);
  };
  static void run(Call& c);
};

void Split::run(Call& c) {
  Slot& x = c.in(In::x);
  Type type = x.type;
  size_t inner = c.size(Num::inner), row = 0, at = 0;
  for (size_t i = Num::length; i < c.numbers(); i++) row += product({c.size(i), inner});
  size_t rows = row ? x.count / row : 0;
  c.in(In::x, product({rows, row}));
  for (size_t i = 0; i < c.outputs(); i++) {
    size_t wide = product({c.size(Num::length + i), inner}), bytes = wide * sizeOf(type);
    char* y = c.out(i, type, product({rows, wide})).bytes();
    const char* from = x.bytes() + at * sizeOf(type);
    for (size_t r = 0; bytes && r < rows; r++) std::memcpy(y + r * bytes, from + r * row * sizeOf(type), bytes);
    at += wide;
  }
}

struct OneHot : Arguments {
  INPUTS(indices);
  RESULTS(y);
  NUMBERS(depth, type, on, off);
  static void run(Call& c);
};

void OneHot::run(Call& c) {
  size_t n = c.in(In::indices).count, depth = c.size(Num::depth);
  const int32_t* x = c.i32(In::indices, n);
  double on = c.number(Num::on), off = c.number(Num::off);
  Slot& y = c.out(Out::y, c.type(Num::type), product({n, depth}));
  parallelFor(n, 1024, [&](size_t b, size_t e) {
    for (size_t i = b; i < e; i++)
      for (size_t k = 0; k < depth; k++) setNumber(y, i * depth + k, x[i] >= 0 && size_t(x[i]) == k ? on : off);
  });
}

/** x is [before, middle, after], the result [before, indices, after]. */
struct Gather : Arguments {
  INPUTS(x, indices);
  RESULTS(y);
  NUMBERS(before, middle, after);
  static void run(Call& c);
};

void Gather::run(Call& c) {
  size_t a = c.size(Num::before), r = c.size(Num::middle), b = c.size(Num::after), n = c.in(In::indices).count;
  Slot& x = c.in(In::x, product({a, r, b}));
  const int32_t* indices = c.i32(In::indices, n);
  for (size_t i = 0; i < n; i++)
    if (indices[i] < 0 || size_t(indices[i]) >= r)
      throw std::runtime_error("index " + std::to_string(indices[i]) + " is not from 0 to " +
                               std::to_string(int64_t(r) - 1));
  Slot& y = c.out(Out::y, x.type, product({a, n, b}));
  size_t bytes = b * sizeOf(x.type);
  parallelFor(y.count ? a * n : 0, 256, [&](size_t from, size_t to) {
    for (size_t u = from; u < to; u++)
      std::memcpy(y.bytes() + u * bytes, x.bytes() + (u / n * r + size_t(indices[u % n])) * bytes, bytes);
  });
}

KERNEL("assemble", Assemble);
KERNEL("split", Split);
KERNEL("OneHot", OneHot);
KERNEL("gather", Gather);

}  // namespace
}  // namespace millrace
