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
KERNEL("GeluGrad", GeluGrad);
KERNEL("LogicalNot", LogicalNot);
KERNEL("Select", Select);
KERNEL("Cast", Cast);
KERNEL("Fill", Fill);

}  // namespace
}  // namespace millrace
