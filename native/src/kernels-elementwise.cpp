#include <cmath>
#include <cstring>

#include "rows.h"

namespace millrace {
namespace {

double wholeUnary(Unary op, double x, double p, double q) {
  switch (op) {
    case Unary::neg: return -x;
    case Unary::abs: return std::fabs(x);
    case Unary::square: return x * x;
    case Unary::sign: return x > 0 ? 1 : x < 0 ? -1 : 0;
    case Unary::relu: return x < 0 ? 0 : x;
    case Unary::relu6: return x < 0 ? 0 : x > 6 ? 6 : x;
    case Unary::clip: return x > q ? q : x < p ? p : x;
    case Unary::floor:
    case Unary::ceil:
    case Unary::round: return x;
    case Unary::step: return x > 0 ? 1 : p;
    default: throw std::runtime_error("not for whole numbers");
  }
}

/** ints: op; floats: two parameters. Whole numbers stay whole. */
void unary(Call& c) {
  Slot& x = c.in(0);
  auto op = c.choice(0, Unary::gelu);
  float p = float(c.number(0)), q = float(c.number(1));
  if (!isFloat(x.type)) {
    Slot& y = c.out(0, Type::i32, x.count);
    for (size_t i = 0; i < y.count; i++) setNumber(y, i, wholeUnary(op, numberAt(x, i), c.number(0), c.number(1)));
    return;
  }
  size_t n = x.count;
  bool narrow = op == Unary::gelu && c.engine->bf16;
  Slot& y = c.out(0, narrow ? Type::bf16 : Type::f32, n);
  Slot& from = c.in(0);
  inChunks(n, [&](size_t at, size_t m) {
    if (narrow && from.type == Type::bf16)
      return loops().geluNarrow(from.data<uint16_t>() + at, y.data<uint16_t>() + at, m);
    float a[kChunk], b[kChunk];
    float* to = target(y, at, b);
    loops().unary(op, load(from, at, m, a), to, m, p, q);
    store(y, at, m, to);
  });
}

void geluGrad(Call& c) {
  size_t n = c.in(0).count;
  Slot &dy = c.in(0), &x = c.in(1, n);
  Slot& y = c.out(0, c.engine->bf16 ? Type::bf16 : Type::f32, n);
  bool narrow = y.type == Type::bf16 && dy.type == Type::bf16 && x.type == Type::bf16;
  inChunks(n, [&](size_t at, size_t m) {
    if (narrow)
      return loops().geluGradNarrow(dy.data<uint16_t>() + at, x.data<uint16_t>() + at, y.data<uint16_t>() + at, m);
    float a[kChunk], b[kChunk], r[kChunk];
    float* to = target(y, at, r);
    loops().geluGrad(load(dy, at, m, a), load(x, at, m, b), to, m);
    store(y, at, m, to);
  });
}

/** The shape of a broadcast result, with the strides of both operands; neighbouring dimensions joined where possible. */
struct Grid {
  std::vector<int64_t> shape, a, b;
  int64_t inner = 1, outer = 1;
  int sa = 1, sb = 1;

  /** ints from a place on: rank, shape…, strides of a…, strides of b… */
  Grid(const Call& c, size_t from) {
    Box left, right;
    size_t rank = c.size(from);
    for (size_t i = 1; i <= rank; i++) {
      left.shape.push_back(int64_t(c.size(from + i)));
      left.strides.push_back(c.whole(from + rank + i));
      right.strides.push_back(c.whole(from + 2 * rank + i));
    }
    right.shape = left.shape;
    left.mustLieIn(c.in(0).count);
    right.mustLieIn(c.in(1).count);
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
    case Binary::add: return p + q;
    case Binary::sub: return p - q;
    case Binary::mul: return p * q;
    case Binary::div: return q == 0 ? 0 : p / q;
    case Binary::max: return std::max(p, q);
    case Binary::min: return std::min(p, q);
    case Binary::pow: return std::pow(p, q);
    case Binary::squaredDifference: return (p - q) * (p - q);
    case Binary::floorDiv: return q == 0 ? 0 : std::floor(p / q);
    case Binary::mod: return q == 0 ? 0 : p - q * std::floor(p / q);
  }
  return 0;
}

bool wholeCompare(Compare op, double p, double q) {
  switch (op) {
    case Compare::equal: return p == q;
    case Compare::notEqual: return p != q;
    case Compare::less: return p < q;
    case Compare::lessEqual: return p <= q;
    case Compare::greater: return p > q;
    case Compare::greaterEqual: return p >= q;
    case Compare::both: return p != 0 && q != 0;
    case Compare::either: return p != 0 || q != 0;
  }
  return false;
}

/** ints: op, rank, shape…, strides of a…, strides of b… */
void binary(Call& c) {
  Grid grid(c, 1);
  auto op = c.choice(0, Binary::mod);
  bool real = isFloat(c.in(0).type) && isFloat(c.in(1).type);
  Slot& y = c.out(0, real ? Type::f32 : Type::i32, grid.count());
  Slot &a = c.in(0), &b = c.in(1);
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

void compare(Call& c) {
  Grid grid(c, 1);
  auto op = c.choice(0, Compare::either);
  bool real = isFloat(c.in(0).type) && isFloat(c.in(1).type);
  Slot& y = c.out(0, Type::u8, grid.count());
  Slot &a = c.in(0), &b = c.in(1);
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

void logicalNot(Call& c) {
  size_t n = c.in(0).count;
  const uint8_t* x = c.u8(0, n);
  uint8_t* y = c.out(0, Type::u8, n).data<uint8_t>();
  for (size_t i = 0; i < n; i++) y[i] = !x[i];
}

/** ins: condition, a, b, all of one shape. */
void select(Call& c) {
  size_t n = c.in(0).count;
  const uint8_t* condition = c.u8(0, n);
  bool real = isFloat(c.in(1).type);
  if (real != isFloat(c.in(2).type)) throw std::runtime_error("expected two tensors of one type");
  if (real) {
    const float *a = c.f32(1, n), *b = c.f32(2, n);
    float* y = c.outF32(0, n);
    inChunks(n, [&](size_t at, size_t m) {
      for (size_t i = at; i < at + m; i++) y[i] = condition[i] ? a[i] : b[i];
    });
    return;
  }
  Slot &a = c.in(1, n), &b = c.in(2, n);
  Slot& y = c.out(0, a.type == b.type ? a.type : Type::i32, n);
  for (size_t i = 0; i < n; i++) setNumber(y, i, numberAt(condition[i] ? a : b, i));
}

/** ints: type. */
void cast(Call& c) {
  Type to = c.type(0);
  Slot& y = c.out(0, to, c.in(0).count);
  Slot& x = c.in(0);
  if (to == Type::f32 && isFloat(x.type)) {
    inChunks(y.count, [&](size_t at, size_t n) {
      float* out = y.data<float>() + at;
      const float* in = load(x, at, n, out);
      if (in != out) std::memcpy(out, in, n * sizeof(float));
    });
    return;
  }
  inChunks(y.count, [&](size_t at, size_t n) {
    for (size_t i = at; i < at + n; i++) setNumber(y, i, numberAt(x, i));
  });
}

/** ints: type, count; floats: value. */
void fill(Call& c) {
  Slot& y = c.out(0, c.type(0), c.size(1));
  double value = c.number(0);
  if (value == 0) {
    std::memset(y.bytes(), 0, y.count * sizeOf(y.type));
    return;
  }
  inChunks(y.count, [&](size_t at, size_t n) {
    for (size_t i = at; i < at + n; i++) setNumber(y, i, value);
  });
}

KERNEL("unary", unary);
KERNEL("binary", binary);
KERNEL("compare", compare);
KERNEL("GeluGrad", geluGrad);
KERNEL("LogicalNot", logicalNot);
KERNEL("Select", select);
KERNEL("Cast", cast);
KERNEL("Fill", fill);

}  // namespace
}  // namespace millrace
