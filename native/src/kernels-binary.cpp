#include <cmath>
#include <cstring>

#include "rows.h"

namespace millrace {
namespace {

/** `rank` sizes of the result, then as many strides of a and of b. */
struct OfTwo : Arguments {
  INPUTS(a, b);
  RESULTS(y);
  NUMBERS(op, rank, shape, aStrides, bStrides);
};

/** The shape of a broadcast result, with the strides of both operands; neighbouring dimensions joined where possible. */
struct Grid {
  using In = OfTwo::In;
  using Num = OfTwo::Num;

  std::vector<int64_t> shape, a, b;
  int64_t inner = 1, outer = 1;
  int sa = 1, sb = 1;

  explicit Grid(const Call& c) {
    Box left, right;
    size_t rank = c.size(Num::rank);
    for (size_t i = 0; i < rank; i++) {
      left.shape.push_back(int64_t(c.size(repeated(Num::shape, Num::shape, rank) + i)));
      left.strides.push_back(c.whole(repeated(Num::shape, Num::aStrides, rank) + i));
      right.strides.push_back(c.whole(repeated(Num::shape, Num::bStrides, rank) + i));
    }
    right.shape = left.shape;
    left.mustLieIn(c.in(In::a).count);
    right.mustLieIn(c.in(In::b).count);
    if (left.count() == 0) {
      outer = inner = 0;
      return;
    }
    for (size_t i = 0; i < rank; i++) {
      int64_t n = left.shape[i], x = left.strides[i], y = right.strides[i];
      if (n == 1) continue;
      if (!shape.empty() && a.back() == x * n && b.back() == y * n) {
        shape.back() *= n;
        a.back() = x;
        b.back() = y;
      } else {
        shape.push_back(n);
        a.push_back(x);
        b.push_back(y);
      }
    }
    if (shape.empty()) return;
    if (a.back() < 0 || a.back() > 1 || b.back() < 0 || b.back() > 1)
      throw std::runtime_error("expected a last dimension that walks or repeats");
    inner = shape.back();
    sa = int(a.back());
    sb = int(b.back());
    for (size_t i = 0; i + 1 < shape.size(); i++) outer *= shape[i];
  }

  /** Calls work(at in the result, offset in a, offset in b, how many) for runs along the last dimension. */
  template <typename Work>
  void each(Work work) const {
    size_t pieces = (size_t(inner) + kChunk - 1) / kChunk;
    size_t length = std::min(size_t(inner), kChunk);
    parallelFor(size_t(outer) * pieces, worthSplitting(length),
                [&](size_t begin, size_t end) {
                  for (size_t unit = begin; unit < end; unit++) {
                    size_t row = unit / pieces, from = unit % pieces * kChunk;
                    int64_t x = 0, y = 0;
                    size_t rest = row;
                    for (size_t d = shape.size() > 0 ? shape.size() - 1 : 0; d-- > 0;) {
                      int64_t i = int64_t(rest % size_t(shape[d]));
                      rest /= size_t(shape[d]);
                      x += i * a[d];
                      y += i * b[d];
                    }
                    work(row * size_t(inner) + from, size_t(x) + from * size_t(sa), size_t(y) + from * size_t(sb),
                         std::min(size_t(inner) - from, kChunk));
                  }
                });
  }
  size_t count() const { return size_t(outer * inner); }
};

double wholeBinary(Binary op, double p, double q) {
  switch (op) {
    case Binary::Add: return p + q;
    case Binary::Sub: return p - q;
    case Binary::Multiply: return p * q;
    case Binary::RealDiv: return q == 0 ? 0 : p / q;
    case Binary::Maximum: return std::max(p, q);
    case Binary::Minimum: return std::min(p, q);
    case Binary::Pow: return std::pow(p, q);
    case Binary::SquaredDifference: return (p - q) * (p - q);
    case Binary::FloorDiv: return q == 0 ? 0 : std::floor(p / q);
    case Binary::Mod: return q == 0 ? 0 : p - q * std::floor(p / q);
  }
  return 0;
}

bool wholeCompare(Compare op, double p, double q) {
  switch (op) {
    case Compare::Equal: return p == q;
    case Compare::NotEqual: return p != q;
    case Compare::Less: return p < q;
    case Compare::LessEqual: return p <= q;
    case Compare::Greater: return p > q;
    case Compare::GreaterEqual: return p >= q;
    case Compare::LogicalAnd: return p != 0 && q != 0;
    case Compare::LogicalOr: return p != 0 || q != 0;
  }
  return false;
}

struct Pairwise : OfTwo {
  static void run(Call& c);
};

void Pairwise::run(Call& c) {
  Grid grid(c);
  auto op = c.choice<Binary>(Num::op);
  bool real = isFloat(c.in(In::a).type) && isFloat(c.in(In::b).type);
  Slot& y = c.out(Out::y, real ? Type::f32 : Type::i32, grid.count());
  Slot &a = c.in(In::a), &b = c.in(In::b);
  grid.each([&](size_t at, size_t i, size_t j, size_t n) {
    if (real) {
      float x[kChunk], z[kChunk];
      const float* p = load(a, i, grid.sa ? n : 1, x);
      const float* q = load(b, j, grid.sb ? n : 1, z);
      loops().binary(op, p, grid.sa, q, grid.sb, y.data<float>() + at, n);
    } else {
      for (size_t k = 0; k < n; k++)
        setNumber(y, at + k,
                  wholeBinary(op, numberAt(a, i + k * size_t(grid.sa)), numberAt(b, j + k * size_t(grid.sb))));
    }
  });
}

struct Comparison : OfTwo {
  static void run(Call& c);
};

void Comparison::run(Call& c) {
  Grid grid(c);
  auto op = c.choice<Compare>(Num::op);
  bool real = isFloat(c.in(In::a).type) && isFloat(c.in(In::b).type);
  Slot& y = c.out(Out::y, Type::u8, grid.count());
  Slot &a = c.in(In::a), &b = c.in(In::b);
  grid.each([&](size_t at, size_t i, size_t j, size_t n) {
    if (real) {
      float x[kChunk], z[kChunk];
      const float* p = load(a, i, grid.sa ? n : 1, x);
      const float* q = load(b, j, grid.sb ? n : 1, z);
      loops().compare(op, p, grid.sa, q, grid.sb, y.data<uint8_t>() + at, n);
    } else {
      for (size_t k = 0; k < n; k++)
        y.data<uint8_t>()[at + k] =
            wholeCompare(op, numberAt(a, i + k * size_t(grid.sa)), numberAt(b, j + k * size_t(grid.sb)));
    }
  });
}

KERNEL("binary", Pairwise);
KERNEL("compare", Comparison);

}  // namespace
}  // namespace millrace
