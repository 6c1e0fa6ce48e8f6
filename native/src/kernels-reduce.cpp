#include <cmath>
#include <cstring>

#include "rows.h"

namespace millrace {
namespace {

// The rows of a partial result, independent of the number of threads: the sum is the same on any machine.
constexpr size_t kRows = 1024;

/** Reduces the middle of f32 [a, r, b] where b > 1: rows are accumulated in blocks, the blocks in order. */
void reduceColumns(Call& c, Reduce op, const float* x, float* y, size_t a, size_t r, size_t b) {
  size_t blocks = (r + kRows - 1) / kRows;
  float* partial = blocks == 1 ? y : c.temp<float>(a * blocks * b);
  size_t width = std::min<size_t>(b, 256), strips = (b + width - 1) / width;
  size_t perUnit = std::min(r, kRows) * width;
  parallelFor(a * blocks * strips, worthSplitting(perUnit), [&](size_t begin, size_t end) {
    for (size_t u = begin; u < end; u++) {
      size_t block = u / strips, at = u % strips * width, n = std::min(width, b - at);
      size_t from = block % blocks * kRows, to = std::min(r, from + kRows);
      const float* rows = x + block / blocks * r * b + at;
      float* sum = partial + block * b + at;
      std::memcpy(sum, rows + from * b, n * sizeof(float));
      for (size_t i = from + 1; i < to; i++) loops().accumulate(op, sum, rows + i * b, n);
    }
  });
  if (blocks == 1) return;
  parallelFor(a * b, kWorthSplitting, [&](size_t begin, size_t end) {
    for (size_t u = begin; u < end; u++) {
      const float* column = partial + u / b * blocks * b + u % b;
      if (op == Reduce::Sum) {
        double total = 0;
        for (size_t i = 0; i < blocks; i++) total += column[i * b];
        y[u] = float(total);
      } else {
        y[u] = column[0];
        for (size_t i = 1; i < blocks; i++) loops().accumulate(op, y + u, column + i * b, 1);
      }
    }
  });
}

void reduceRows(Call& c, Reduce op, const float* x, float* y, size_t a, size_t r) {
  size_t piece = 65536, pieces = (r + piece - 1) / piece;
  if (pieces == 1) {
    parallelFor(a, worthSplitting(r), [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; i++) y[i] = loops().reduce(op, x + i * r, r);
    });
    return;
  }
  float* partial = c.temp<float>(a * pieces);
  parallelFor(a * pieces, 1, [&](size_t begin, size_t end) {
    for (size_t u = begin; u < end; u++) {
      size_t from = u % pieces * piece;
      partial[u] = loops().reduce(op, x + u / pieces * r + from, std::min(piece, r - from));
    }
  });
  for (size_t i = 0; i < a; i++) y[i] = loops().reduce(op, partial + i * pieces, pieces);
}

/** Reduces the middle of [before, middle, after], and multiplies the result, of this type, by a factor. */
struct Reduction : Arguments {
  INPUTS(x);
  RESULTS(y);
  NUMBERS(op, before, middle, after, type, factor);
  static void run(Call& c);
};

void Reduction::run(Call& c) {
  auto op = c.choice<Reduce>(Num::op);
  size_t a = c.size(Num::before), r = c.divisor(Num::middle), b = c.size(Num::after);
  size_t count = product({a, b}), from = product({a, r, b});
  if (isFloat(c.in(In::x).type)) {
    const float* x = c.f32(In::x, from);
    float* y = c.outF32(Out::y, count);
    if (count == 0) return;
    if (b == 1)
      reduceRows(c, op, x, y, a, r);
    else
      reduceColumns(c, op, x, y, a, r, b);
    float factor = float(c.number(Num::factor));
    if (factor != 1) loops().binary(Binary::Multiply, y, 1, &factor, 0, y, count);
    return;
  }
  Slot& x = c.in(In::x, from);
  Slot& y = c.out(Out::y, c.type(Num::type), count);
  for (size_t u = 0; u < count; u++) {
    size_t at = u / b * r * b + u % b;
    double value = numberAt(x, at);
    for (size_t i = 1; i < r; i++) {
      double next = numberAt(x, at + i * b);
      switch (op) {
        case Reduce::Sum: value += next; break;
        case Reduce::Max: value = std::max(value, next); break;
        case Reduce::Min: value = std::min(value, next); break;
        case Reduce::Prod: value *= next; break;
      }
    }
    setNumber(y, u, value * c.number(Num::factor));
  }
}

/** The place of the largest (or smallest) along the middle of [before, middle, after], the first of equals. */
struct Argument : Arguments {
  INPUTS(x);
  RESULTS(y);
  NUMBERS(largest, before, middle, after);
  static void run(Call& c);
};

void Argument::run(Call& c) {
  bool largest = c.flag(Num::largest);
  size_t a = c.size(Num::before), r = c.divisor(Num::middle), b = c.size(Num::after), count = product({a, b});
  Slot& x = c.in(In::x, product({a, r, b}));
  int32_t* y = c.out(Out::y, Type::i32, count).data<int32_t>();
  parallelFor(count, worthSplitting(r), [&](size_t begin, size_t end) {
    for (size_t u = begin; u < end; u++) {
      size_t at = u / b * r * b + u % b;
      double best = numberAt(x, at);
      int32_t where = 0;
      for (size_t i = 1; i < r; i++) {
        double value = numberAt(x, at + i * b);
        if (largest ? value > best : value < best) {
          best = value;
          where = int32_t(i);
        }
      }
      y[u] = where;
    }
  });
}

template <bool logarithm>
struct Softmax : Arguments {
  INPUTS(logits);
  RESULTS(y);
  NUMBERS(rows, width);
  static void run(Call& c);
};

template <bool logarithm>
void Softmax<logarithm>::run(Call& c) {
  size_t rows = c.size(Num::rows), n = c.size(Num::width), count = product({rows, n});
  const float* x = c.f32(In::logits, count);
  float* y = c.outF32(Out::y, count);
  if (count == 0) return;
  parallelFor(rows, worthSplitting(4 * n), [&](size_t b, size_t e) {
    for (size_t i = b; i < e; i++)
      logarithm ? loops().logSoftmax(x + i * n, y + i * n, n) : void(loops().softmax(x + i * n, 1, y + i * n, n));
  });
}

KERNEL("reduce", Reduction);
KERNEL("argument", Argument);
KERNEL("Softmax", Softmax<false>);
KERNEL("LogSoftmax", Softmax<true>);

}  // namespace
}  // namespace millrace
