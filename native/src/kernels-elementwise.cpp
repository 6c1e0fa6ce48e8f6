#include <cmath>
#include <cstring>

#include "rows.h"

namespace millrace {
namespace {

double wholeUnary(Unary op, double x, double p, double q) {
  switch (op) {
    case Unary::Neg: return -x;
    case Unary::Abs: return std::fabs(x);
    case Unary::Square: return x * x;
    case Unary::Sign: return x > 0 ? 1 : x < 0 ? -1 : 0;
    case Unary::Relu: return x < 0 ? 0 : x;
    case Unary::Relu6: return x < 0 ? 0 : x > 6 ? 6 : x;
    case Unary::ClipByValue: return x > q ? q : x < p ? p : x;
    case Unary::Floor:
    case Unary::Ceil:
    case Unary::Round: return x;
    case Unary::Step: return x > 0 ? 1 : p;
    default: throw std::runtime_error("not for whole numbers");
  }
}

/** `p` and `q` are parameters of the operation. Whole numbers stay whole. */
struct OfOne : Arguments {
  INPUTS(x);
  RESULTS(y);
  NUMBERS(op, p, q);
  static void run(Call& c);
};

void OfOne::run(Call& c) {
  Slot& x = c.in(In::x);
  auto op = c.choice<Unary>(Num::op);
  float p = float(c.number(Num::p)), q = float(c.number(Num::q));
  if (!isFloat(x.type)) {
    Slot& y = c.out(Out::y, Type::i32, x.count);
    for (size_t i = 0; i < y.count; i++)
      setNumber(y, i, wholeUnary(op, numberAt(x, i), c.number(Num::p), c.number(Num::q)));
    return;
  }
  size_t n = x.count;
  bool narrow = op == Unary::Gelu && c.engine->bf16;
  Slot& y = c.out(Out::y, narrow ? Type::bf16 : Type::f32, n);
  Slot& from = c.in(In::x);
  inChunks(n, [&](size_t at, size_t m) {
    if (narrow && from.type == Type::bf16)
      return loops().geluNarrow(from.data<uint16_t>() + at, y.data<uint16_t>() + at, m);
    float a[kChunk], b[kChunk];
    float* to = target(y, at, b);
    loops().unary(op, load(from, at, m, a), to, m, p, q);
    store(y, at, m, to);
  });
}

struct GeluGrad : Arguments {
  INPUTS(dy, x);
  RESULTS(dx);
  static void run(Call& c);
};

void GeluGrad::run(Call& c) {
  size_t n = c.in(In::dy).count;
  Slot &dy = c.in(In::dy), &x = c.in(In::x, n);
  Slot& y = c.out(Out::dx, c.engine->bf16 ? Type::bf16 : Type::f32, n);
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

struct LogicalNot : Arguments {
  INPUTS(x);
  RESULTS(y);
  static void run(Call& c);
};

void LogicalNot::run(Call& c) {
  size_t n = c.in(In::x).count;
  const uint8_t* x = c.u8(In::x, n);
  uint8_t* y = c.out(Out::y, Type::u8, n).data<uint8_t>();
  for (size_t i = 0; i < n; i++) y[i] = !x[i];
}

/** All are of one shape. */
struct Select : Arguments {
  INPUTS(condition, a, b);
  RESULTS(y);
  static void run(Call& c);
};

void Select::run(Call& c) {
  size_t n = c.in(In::condition).count;
  const uint8_t* condition = c.u8(In::condition, n);
  bool real = isFloat(c.in(In::a).type);
  if (real != isFloat(c.in(In::b).type)) throw std::runtime_error("expected two tensors of one type");
  if (real) {
    const float *a = c.f32(In::a, n), *b = c.f32(In::b, n);
    float* y = c.outF32(Out::y, n);
    inChunks(n, [&](size_t at, size_t m) {
      for (size_t i = at; i < at + m; i++) y[i] = condition[i] ? a[i] : b[i];
    });
    return;
  }
  Slot &a = c.in(In::a, n), &b = c.in(In::b, n);
  Slot& y = c.out(Out::y, a.type == b.type ? a.type : Type::i32, n);
  for (size_t i = 0; i < n; i++) setNumber(y, i, numberAt(condition[i] ? a : b, i));
}

struct Cast : Arguments {
  INPUTS(x);
  RESULTS(y);
  NUMBERS(type);
  static void run(Call& c);
};

void Cast::run(Call& c) {
  Type to = c.type(Num::type);
  Slot& y = c.out(Out::y, to, c.in(In::x).count);
  Slot& x = c.in(In::x);
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

struct Fill : Arguments {
  RESULTS(y);
  NUMBERS(type, count, value);
  static void run(Call& c);
};

void Fill::run(Call& c) {
  Slot& y = c.out(Out::y, c.type(Num::type), c.size(Num::count));
  double value = c.number(Num::value);
  if (value == 0) {
    std::memset(y.bytes(), 0, y.count * sizeOf(y.type));
    return;
  }
  inChunks(y.count, [&](size_t at, size_t n) {
    for (size_t i = at; i < at + n; i++) setNumber(y, i, value);
  });
}

KERNEL("unary", OfOne);
KERNEL("binary", Pairwise);
KERNEL("compare", Comparison);
KERNEL("GeluGrad", GeluGrad);
KERNEL("LogicalNot", LogicalNot);
KERNEL("Select", Select);
KERNEL("Cast", Cast);
KERNEL("Fill", Fill);

}  // namespace
}  // namespace millrace
