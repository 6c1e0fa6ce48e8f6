#include "gemm.h"
#include "parallel.h"

namespace millrace {
namespace {

// Narrower results (logits, adapter ranks) stay in f32: they cost little and are read by what needs the digits.
constexpr int64_t kNarrow = 64;

Type productType(Call& c) { return c.engine->bf16 ? Type::bf16 : Type::f32; }
Type resultType(Call& c, int64_t width) { return width < kNarrow ? Type::f32 : productType(c); }

/** y = x·W + b. ints: rows, in, out. */
void linear(Call& c) {
  int64_t rows = c.ints[0], in = c.ints[1], out = c.ints[2];
  Type type = productType(c);
  Gemm g;
  g.m = rows, g.k = in, g.n = out;
  g.a = {as(c, 0, type), type, {in, 1}};
  g.b = {nullptr, type, {out, 1}};
  g.weight = &c.in(1);
  if (c.has(2)) g.bias = c.f32(2);
  Type result = resultType(c, out);
  Slot& y = c.out(0, result, size_t(rows * out));
  g.c = {y.buffer->data, result, {out, 1}};
  gemm(c, g);
}

/** dx = dy·Wᵀ. ints: rows, in, out. */
void linearGradInput(Call& c) {
  int64_t rows = c.ints[0], in = c.ints[1], out = c.ints[2];
  Type type = productType(c);
  Gemm g;
  g.m = rows, g.k = out, g.n = in;
  g.a = {as(c, 0, type), type, {out, 1}};
  g.b = {nullptr, type, {1, out}};
  g.weight = &c.in(1);
  Type result = resultType(c, in);
  Slot& dx = c.out(0, result, size_t(rows * in));
  g.c = {dx.buffer->data, result, {in, 1}};
  gemm(c, g);
}

/** dW = xᵀ·dy, in f32. ints: rows, in, out. */
void linearGradWeight(Call& c) {
  int64_t rows = c.ints[0], in = c.ints[1], out = c.ints[2];
  Type type = productType(c);
  Gemm g;
  g.m = in, g.k = rows, g.n = out;
  g.a = {as(c, 0, type), type, {1, in}};
  g.b = {as(c, 1, type), type, {out, 1}};
  g.c = {c.outF32(0, size_t(in * out)), Type::f32, {out, 1}};
  gemm(c, g);
}

/**
 * c = a·b for batches of matrices. ints: m, k, n, transposeA, transposeB, batch dimensions, batch sizes…, strides of
 * a's batch…, strides of b's batch… (in matrices).
 *
 * Rounded to bf16 only where an operand is an activation that is stored so: products of weights keep all digits.
 */
void matMul(Call& c) {
  Gemm g;
  g.m = c.ints[0], g.k = c.ints[1], g.n = c.ints[2];
  bool ta = c.ints[3], tb = c.ints[4];
  size_t dims = size_t(c.ints[5]);
  Type type = c.in(0).type == Type::bf16 || c.in(1).type == Type::bf16 ? Type::bf16 : Type::f32;
  std::vector<int64_t> sa, sb, sc;
  int64_t total = g.m * g.n;
  for (size_t i = 0; i < dims; i++) {
    g.batch.push_back(c.ints[6 + i]);
    sa.push_back(c.ints[6 + dims + i] * g.m * g.k);
    sb.push_back(c.ints[6 + 2 * dims + i] * g.k * g.n);
    total *= g.batch.back();
  }
  int64_t step = g.m * g.n;
  for (size_t i = dims; i-- > 0; step *= g.batch[i]) sc.insert(sc.begin(), step);
  auto add = [](std::vector<int64_t>& strides, int64_t row, int64_t column) {
    strides.push_back(row);
    strides.push_back(column);
  };
  ta ? add(sa, 1, g.m) : add(sa, g.k, 1);
  tb ? add(sb, 1, g.k) : add(sb, g.n, 1);
  add(sc, g.n, 1);
  g.a = {as(c, 0, type), type, sa};
  g.b = {as(c, 1, type), type, sb};
  g.c = {c.outF32(0, size_t(total)), Type::f32, sc};
  gemm(c, g);
}

KERNEL("Linear", linear);
KERNEL("LinearGradInput", linearGradInput);
KERNEL("LinearGradWeight", linearGradWeight);
KERNEL("BatchMatMul", matMul);

}  // namespace
}  // namespace millrace
