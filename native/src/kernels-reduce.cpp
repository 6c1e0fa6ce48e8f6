#include <cmath>
#include <cstring>

#include "rows.h"

namespace millrace {
namespace {

// Partial results are of so many rows each, however many threads there are: the sum is the same on any machine.
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
      if (op == Reduce::sum) {
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

/** Reduces the middle of [a, r, b]. ints: op, a, r, b, type of the result; floats: factor of the result. */
void reduce(Call& c) {
  auto op = c.choice(0, Reduce::prod);
  size_t a = c.size(1), r = c.divisor(2), b = c.size(3), count = product({a, b}), from = product({a, r, b});
  if (isFloat(c.in(0).type)) {
    const float* x = c.f32(0, from);
    float* y = c.outF32(0, count);
    if (count == 0) return;
    if (b == 1)
      reduceRows(c, op, x, y, a, r);
    else
      reduceColumns(c, op, x, y, a, r, b);
    float factor = float(c.number(0));
    if (factor != 1) loops().binary(Binary::mul, y, 1, &factor, 0, y, count);
    return;
  }
  Slot& x = c.in(0, from);
  Slot& y = c.out(0, c.type(4), count);
  for (size_t u = 0; u < count; u++) {
    size_t at = u / b * r * b + u % b;
    double value = numberAt(x, at);
    for (size_t i = 1; i < r; i++) {
      double next = numberAt(x, at + i * b);
      switch (op) {
        case Reduce::sum: value += next; break;
        case Reduce::max: value = std::max(value, next); break;
        case Reduce::min: value = std::min(value, next); break;
        case Reduce::prod: value *= next; break;
      }
    }
    setNumber(y, u, value * c.number(0));
  }
}

/** The place of the largest (or smallest) along the middle of [a, r, b], the first of equals. ints: largest, a, r, b. */
void argument(Call& c) {
  bool largest = c.flag(0);
  size_t a = c.size(1), r = c.divisor(2), b = c.size(3), count = product({a, b});
  Slot& x = c.in(0, product({a, r, b}));
  int32_t* y = c.out(0, Type::i32, count).data<int32_t>();
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
void softmax(Call& c) {
  size_t rows = c.size(0), n = c.size(1), count = product({rows, n});
  const float* x = c.f32(0, count);
  float* y = c.outF32(0, count);
  if (count == 0) return;
  parallelFor(rows, worthSplitting(4 * n), [&](size_t b, size_t e) {
    for (size_t i = b; i < e; i++)
      logarithm ? loops().logSoftmax(x + i * n, y + i * n, n) : void(loops().softmax(x + i * n, 1, y + i * n, n));
  });
}

KERNEL("reduce", reduce);
KERNEL("argument", argument);
KERNEL("Softmax", softmax<false>);
KERNEL("LogSoftmax", softmax<true>);

}  // namespace
}  // namespace millrace
