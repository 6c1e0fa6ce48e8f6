#include "call.h"

namespace millrace {
namespace {

Tensor matMul(Call& call) {
  Tensor a = call.factor("a"), b = call.factor("b");
  if (call.flag("transposeA")) a = a.transpose(-2, -1);
  if (call.flag("transposeB")) b = b.transpose(-2, -1);
  return at::matmul(a, b);
}

/** x·W + b of a matrix x; a result of its own, that may be added to. */
Tensor product(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return bias.defined() ? at::addmm(bias.to(x.scalar_type()), x, weight) : at::mm(x, weight);
}

Tensor linear(Call& call) {
  Tensor x = call.factor("x"), weight = call.weight("weight");
  Tensor bias = call.has("bias") ? call.in("bias") : Tensor();
  return product(rows(x), weight, bias).reshape(resized(x, weight.size(-1)));
}

Tensor inputGradient(Call& call) {
  Tensor dy = call.factor("dy"), weight = call.weight("weight");
  return at::mm(rows(dy), weight.t()).reshape(resized(dy, weight.size(0)));
}

Tensor weightGradient(Call& call) { return at::mm(rows(call.factor("x")).t(), rows(call.factor("dy"))); }

// Low-rank changes, in the shapes of src/engine/ops/low-rank.ts.

/** [K, K·r] factors by input chunk to factors by output chunk, and back. */
Tensor swapped(const Tensor& low) {
  int64_t blocks = low.size(0), count = low.size(1), width = low.size(2);
  if (blocks == 1) return low;
  TORCH_CHECK(width % blocks == 0, "expected a width that ", blocks, " blocks divide, got ", width);
  return low.reshape({blocks, count, blocks, width / blocks}).permute({2, 1, 0, 3}).reshape({blocks, count, width});
}

/** [rows, K·n] → [K, rows, n]. */
Tensor chunked(const Tensor& x, int64_t blocks) {
  TORCH_CHECK(blocks > 0 && x.size(-1) % blocks == 0, "expected a width that ", blocks, " blocks divide");
  return x.reshape({x.size(0), blocks, x.size(-1) / blocks}).transpose(0, 1);
}

Tensor blocked(const Tensor& factors) { return factors.dim() == 2 ? factors.unsqueeze(0) : factors; }

/** scale·x·A of x [rows, in] as [K, rows, K·r]. */
Tensor down(const Tensor& x, const Tensor& a, double scale) {
  if (a.dim() == 2) return at::mm(x, a).mul_(scale).unsqueeze(0);
  return swapped(at::bmm(chunked(x, a.size(0)), a)).mul(scale);
}

/** Adds low·B to y [rows, out]. */
void addUp(Tensor& y, const Tensor& low, const Tensor& b) {
  if (b.dim() == 2)
    y.addmm_(low[0], b);
  else
    y.add_(at::bmm(low, b).transpose(0, 1).reshape(y.sizes()));
}

/** All scale·x·A behind one another, then the results. */
Tensors linears(Call& call) {
  size_t taken = 0;
  auto next = [&] {
    TORCH_CHECK(taken < call.list().size(), "expected more than ", taken, " inputs");
    return call.list()[taken++];
  };
  Table& table = call.table;
  Tensor x = table.tensor(next()).to(table.precision), flat = rows(x);
  Tensor residual = call.flag("residual") ? table.tensor(next()) : Tensor();
  Tensors lows, results{Tensor()};
  Napi::Array maps = call.array("maps");
  for (uint32_t i = 0; i < maps.Length(); i++) {
    auto map = maps.Get(i).As<Napi::Object>();
    Tensor weight = table.weight(next());
    Tensor bias = map.Get("bias").ToBoolean() ? table.tensor(next()) : Tensor();
    Tensor y = product(flat, weight, bias);
    if (map.Get("scale").IsNumber()) {
      Tensor a = table.weight(next()), b = table.weight(next());
      Tensor low = down(flat, a, map.Get("scale").ToNumber());
      lows.push_back(low.reshape(-1));
      addUp(y, low, b);
    }
    y = y.reshape(resized(x, weight.size(-1)));
    results.push_back(residual.defined() ? residual + y : y);
  }
  results[0] = lows.empty() ? at::zeros({0}, call.options(at::kFloat)) : at::cat(lows);
  return results;
}

/** Σ dy·Wᵀ + dLow·Aᵀ. */
Tensor linearsInputGradient(Call& call) {
  size_t taken = 0;
  auto next = [&] {
    TORCH_CHECK(taken < call.list().size(), "expected more than ", taken, " inputs");
    return call.list()[taken++];
  };
  Table& table = call.table;
  Tensor total;
  auto add = [&](const Tensor& x, const Tensor& y) { total.defined() ? total.addmm_(x, y) : total = at::mm(x, y); };
  Napi::Array changed = call.array("changed");
  for (uint32_t i = 0; i < changed.Length(); i++) {
    Tensor dy = table.tensor(next()).to(table.precision), weight = table.weight(next());
    add(rows(dy), weight.t());
    if (!changed.Get(i).ToBoolean()) continue;
    Tensor dLow = swapped(table.tensor(next()).to(table.precision)), a = table.weight(next());
    if (a.dim() == 2)
      add(dLow[0], a.t());
    else
      total.add_(at::bmm(dLow, a.transpose(1, 2)).transpose(0, 1).reshape(total.sizes()));
  }
  TORCH_CHECK(total.defined(), "expected a map");
  return total;
}

Tensor lowRankGradient(Call& call) {
  Tensor b = blocked(call.weight("b"));
  return at::bmm(chunked(rows(call.factor("dy")), b.size(0)), b.transpose(1, 2)).mul_(call.number("scale"));
}

Tensor lowRankGradientA(Call& call) {
  Tensor dLow = call.factor("dLow");
  TORCH_CHECK(dLow.dim() == 3, "expected dLow [blocks, rows, width], got ", written(dLow.sizes()));
  Tensor x = chunked(rows(call.factor("x")), dLow.size(0));
  return at::bmm(x.transpose(1, 2), swapped(dLow)).reshape(call.wholes("shape"));
}

Tensor lowRankGradientB(Call& call) {
  auto shape = call.wholes("shape");
  TORCH_CHECK(shape.size() == 2 || shape.size() == 3, "expected the shape of B");
  int64_t blocks = shape.size() == 3 ? shape[0] : 1, width = shape[shape.size() - 2];
  Tensor dy = rows(call.factor("dy"));
  Tensor low = call.factor("low").reshape(-1).narrow(0, call.whole("at"), blocks * dy.size(0) * width);
  return at::bmm(low.reshape({blocks, dy.size(0), width}).transpose(1, 2), chunked(dy, blocks)).reshape(shape);
}

const Kernels kernels{
    {"BatchMatMul", [](Call& call) -> Result { return matMul(call); }},
    {"Linear", [](Call& call) -> Result { return linear(call); }},
    {"LinearGradInput", [](Call& call) -> Result { return inputGradient(call); }},
    {"LinearGradWeight", [](Call& call) -> Result { return weightGradient(call); }},
    {"Linears", [](Call& call) -> Result { return linears(call); }},
    {"FrozenLinears", [](Call& call) -> Result { return linears(call); }},
    {"LinearsGradInput", [](Call& call) -> Result { return linearsInputGradient(call); }},
    {"LowRankGrad", [](Call& call) -> Result { return lowRankGradient(call); }},
    {"LowRankGradA", [](Call& call) -> Result { return lowRankGradientA(call); }},
    {"LowRankGradB", [](Call& call) -> Result { return lowRankGradientB(call); }},
};

}  // namespace
}  // namespace millrace
