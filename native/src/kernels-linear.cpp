#include <array>

#include "gemm.h"
#include "parallel.h"

namespace millrace {
namespace {

// Narrower results (logits, adapter ranks) stay in f32: they cost little and are read by what needs the digits.
constexpr int64_t kNarrow = 64;

Type productType(const Call& c) { return c.engine->bf16 ? Type::bf16 : Type::f32; }
Type resultType(Call& c, int64_t width) { return width < kNarrow ? Type::f32 : productType(c); }

struct LinearSizes : Arguments {
  NUMBERS(rows, in, out);
};

/** The sizes of a linear map of rows. */
struct Sizes {
  using Num = LinearSizes::Num;
  size_t rows, in, out, inputs, weights, outputs;
  explicit Sizes(const Call& c)
      : rows(c.size(Num::rows)), in(c.size(Num::in)), out(c.size(Num::out)), inputs(product({rows, in})),
        weights(product({in, out})), outputs(product({rows, out})) {}
};

/** y = x·W + b; the bias may be left out. */
struct Linear : LinearSizes {
  INPUTS(x, weight, bias);
  RESULTS(y);
  static void run(Call& c);
};

void Linear::run(Call& c) {
  Sizes s(c);
  auto [rows, in, out] = std::array{int64_t(s.rows), int64_t(s.in), int64_t(s.out)};
  Type type = productType(c);
  Gemm g;
  g.m = rows, g.k = in, g.n = out;
  g.a = {as(c, In::x, type, s.inputs), type, {in, 1}};
  g.b = {nullptr, type, {out, 1}};
  g.weight = &c.in(In::weight, s.weights);
  if (c.has(In::bias)) g.bias = c.f32(In::bias, s.out);
  Type result = resultType(c, out);
  g.c = {c.out(Out::y, result, s.outputs).bytes(), result, {out, 1}};
  gemm(c, g);
}

/** dx = dy·Wᵀ. */
struct LinearGradInput : LinearSizes {
  INPUTS(dy, weight);
  RESULTS(dx);
  static void run(Call& c);
};

void LinearGradInput::run(Call& c) {
  Sizes s(c);
  auto [rows, in, out] = std::array{int64_t(s.rows), int64_t(s.in), int64_t(s.out)};
  Type type = productType(c);
  Gemm g;
  g.m = rows, g.k = out, g.n = in;
  g.a = {as(c, In::dy, type, s.outputs), type, {out, 1}};
  g.b = {nullptr, type, {1, out}};
  g.weight = &c.in(In::weight, s.weights);
  Type result = resultType(c, in);
  g.c = {c.out(Out::dx, result, s.inputs).bytes(), result, {in, 1}};
  gemm(c, g);
}

/** dW = xᵀ·dy, in f32. */
struct LinearGradWeight : LinearSizes {
  INPUTS(x, dy);
  RESULTS(dWeight);
  static void run(Call& c);
};

void LinearGradWeight::run(Call& c) {
  Sizes s(c);
  auto [rows, in, out] = std::array{int64_t(s.rows), int64_t(s.in), int64_t(s.out)};
  Type type = productType(c);
  Gemm g;
  g.m = in, g.k = rows, g.n = out;
  g.a = {as(c, In::x, type, s.inputs), type, {1, in}};
  g.b = {as(c, In::dy, type, s.outputs), type, {out, 1}};
  g.c = {c.outF32(Out::dWeight, s.weights), Type::f32, {out, 1}};
  gemm(c, g);
}

/**
 * y = a·b for batches of matrices [m, k] and [k, n]; the batch has `rank` dimensions, and for a and b as many strides,
 * counted in matrices.
 *
 * Rounded to bf16 only where an operand is an activation that is stored so: products of weights keep all digits.
 */
struct BatchMatMul : Arguments {
  INPUTS(a, b);
  RESULTS(y);
  NUMBERS(m, k, n, transposeA, transposeB, rank, batch, aStrides, bStrides);
  static void run(Call& c);
};

void BatchMatMul::run(Call& c) {
  size_t m = c.size(Num::m), k = c.size(Num::k), n = c.size(Num::n), dims = c.size(Num::rank);
  bool ta = c.flag(Num::transposeA), tb = c.flag(Num::transposeB);
  size_t sizes[] = {product({m, k}), product({k, n}), product({m, n})};
  Slot &left = c.in(In::a), &right = c.in(In::b);
  Type type = left.type == Type::bf16 || right.type == Type::bf16 ? Type::bf16 : Type::f32;
  Gemm g;
  g.m = int64_t(m), g.k = int64_t(k), g.n = int64_t(n);
  // The batch of each factor, counted in matrices.
  Box a, b;
  size_t matrices = 1;
  for (size_t i = 0; i < dims; i++) {
    size_t size = c.size(repeated(Num::batch, Num::batch, dims) + i);
    matrices = product({matrices, size});
    g.batch.push_back(int64_t(size));
    a.strides.push_back(c.whole(repeated(Num::batch, Num::aStrides, dims) + i));
    b.strides.push_back(c.whole(repeated(Num::batch, Num::bStrides, dims) + i));
  }
  a.shape = b.shape = g.batch;
  for (size_t i = 0; i < dims; i++)
    if (g.batch[i] == 1) a.strides[i] = b.strides[i] = 0;
  if (matrices == 0) return void(c.outF32(Out::y, 0));
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
  g.a = {as(c, In::a, type, left.count), type, sa};
  g.b = {as(c, In::b, type, right.count), type, sb};
  g.c = {c.outF32(Out::y, product({matrices, sizes[2]})), Type::f32, sc};
  gemm(c, g);
}

KERNEL("Linear", Linear);
KERNEL("LinearGradInput", LinearGradInput);
KERNEL("LinearGradWeight", LinearGradWeight);
KERNEL("BatchMatMul", BatchMatMul);

}  // namespace
}  // namespace millrace
