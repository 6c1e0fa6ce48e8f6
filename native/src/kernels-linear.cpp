#include <array>

#include "gemm.h"
#include "parallel.h"

namespace millrace {
namespace {

// Narrower results (logits, adapter ranks) stay in f32: they cost little and are read by what needs the digits.
constexpr int64_t kNarrow = 64;

Type productType(const Call& c) { return c.engine->bf16 ? Type::bf16 : Type::f32; }
Type resultType(Call& c, int64_t width) { return width < kNarrow ? Type::f32 : productType(c); }

/** The sizes of a linear map of rows. ints: rows, in, out. */
struct Sizes {
  size_t rows, in, out, inputs, weights, outputs;
  explicit Sizes(const Call& c)
      : rows(c.size(0)), in(c.size(1)), out(c.size(2)), inputs(product({rows, in})), weights(product({in, out})),
        outputs(product({rows, out})) {}
};

/** y = x·W + b. */
void linear(Call& c) {
  Sizes s(c);
  auto [rows, in, out] = std::array{int64_t(s.rows), int64_t(s.in), int64_t(s.out)};
  Type type = productType(c);
  Gemm g;
  g.m = rows, g.k = in, g.n = out;
  g.a = {as(c, 0, type, s.inputs), type, {in, 1}};
  g.b = {nullptr, type, {out, 1}};
  g.weight = &c.in(1, s.weights);
  if (c.has(2)) g.bias = c.f32(2, s.out);
  Type result = resultType(c, out);
  g.c = {c.out(0, result, s.outputs).bytes(), result, {out, 1}};
  gemm(c, g);
}

/** dx = dy·Wᵀ. */
void linearGradInput(Call& c) {
  Sizes s(c);
  auto [rows, in, out] = std::array{int64_t(s.rows), int64_t(s.in), int64_t(s.out)};
  Type type = productType(c);
  Gemm g;
  g.m = rows, g.k = out, g.n = in;
  g.a = {as(c, 0, type, s.outputs), type, {out, 1}};
  g.b = {nullptr, type, {1, out}};
  g.weight = &c.in(1, s.weights);
  Type result = resultType(c, in);
  g.c = {c.out(0, result, s.inputs).bytes(), result, {in, 1}};
  gemm(c, g);
}

/** dW = xᵀ·dy, in f32. */
void linearGradWeight(Call& c) {
  Sizes s(c);
  auto [rows, in, out] = std::array{int64_t(s.rows), int64_t(s.in), int64_t(s.out)};
  Type type = productType(c);
  Gemm g;
  g.m = in, g.k = rows, g.n = out;
  g.a = {as(c, 0, type, s.inputs), type, {1, in}};
  g.b = {as(c, 1, type, s.outputs), type, {out, 1}};
  g.c = {c.outF32(0, s.weights), Type::f32, {out, 1}};
  gemm(c, g);
}

/**
 * c = a·b for batches of matrices. ints: m, k, n, transposeA, transposeB, batch dimensions, batch sizes…, strides of
 * a's batch…, strides of b's batch… (in matrices).
 *
 * Rounded to bf16 only where an operand is an activation that is stored so: products of weights keep all digits.
 */
void matMul(Call& c) {
  size_t m = c.size(0), k = c.size(1), n = c.size(2), dims = c.size(5);
  bool ta = c.flag(3), tb = c.flag(4);
  size_t sizes[] = {product({m, k}), product({k, n}), product({m, n})};
  Slot &left = c.in(0), &right = c.in(1);
  Type type = left.type == Type::bf16 || right.type == Type::bf16 ? Type::bf16 : Type::f32;
  Gemm g;
  g.m = int64_t(m), g.k = int64_t(k), g.n = int64_t(n);
  // The batch of each factor, counted in matrices.
  Box a, b;
  size_t matrices = 1;
  for (size_t i = 0; i < dims; i++) {
    matrices = product({matrices, c.size(6 + i)});
    g.batch.push_back(int64_t(c.size(6 + i)));
    a.strides.push_back(c.whole(6 + dims + i));
    b.strides.push_back(c.whole(6 + 2 * dims + i));
  }
  a.shape = b.shape = g.batch;
  for (size_t i = 0; i < dims; i++)
    if (g.batch[i] == 1) a.strides[i] = b.strides[i] = 0;
  if (matrices == 0) return void(c.outF32(0, 0));
  auto mustHold = [](const Slot& slot, size_t matrix, const Box& batch) {
    if (matrix == 0 || slot.count % matrix != 0) throw std::runtime_error("expected whole matrices");
    batch.mustLieIn(slot.count / matrix);
  };
  mustHold(left, sizes[0], a);
  mustHold(right, sizes[1], b);
  std::vector<int64_t> sa, sb, sc;
  for (int64_t stride : a.strides) sa.push_back(stride * int64_t(sizes[0]));
  for (int64_t stride : b.strides) sb.push_back(stride * int64_t(sizes[1]));
  int64_t step = int64_t(sizes[2]);
  for (size_t i = dims; i-- > 0; step *= g.batch[i]) sc.insert(sc.begin(), step);
  auto add = [](std::vector<int64_t>& strides, int64_t row, int64_t column) {
    strides.push_back(row);
    strides.push_back(column);
  };
  ta ? add(sa, 1, g.m) : add(sa, g.k, 1);
  tb ? add(sb, 1, g.k) : add(sb, g.n, 1);
  add(sc, g.n, 1);
  g.a = {as(c, 0, type, left.count), type, sa};
  g.b = {as(c, 1, type, right.count), type, sb};
  g.c = {c.outF32(0, product({matrices, sizes[2]})), Type::f32, sc};
  gemm(c, g);
}

KERNEL("Linear", linear);
KERNEL("LinearGradInput", linearGradInput);
KERNEL("LinearGradWeight", linearGradWeight);
KERNEL("BatchMatMul", matMul);

}  // namespace
}  // namespace millrace
