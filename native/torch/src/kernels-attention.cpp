#include "call.h"

#include <cmath>

namespace millrace {
namespace {

/** [batch, tokens, d] → [batch, heads, tokens, d/heads]. */
Tensor byHead(const Tensor& x, int64_t heads) {
  return x.reshape({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

/** The inverse of `byHead`. */
Tensor together(const Tensor& parts) { return parts.transpose(1, 2).flatten(2); }

/** Queries, keys and values by head, in one type. */
struct Heads {
  Tensor q, k, v;
  int64_t heads;

  explicit Heads(Call& call) : heads(call.whole("heads")) {
    Tensor whole = call.factor("q");
    TORCH_CHECK(whole.dim() == 3 && heads >= 1 && whole.size(2) % heads == 0, "expected q [batch, tokens, d], whose d ",
                heads, " heads divide, got ", written(whole.sizes()));
    q = part(call, "q", whole);
    k = part(call, "k", whole);
    v = part(call, "v", whole);
  }

  Tensor part(Call& call, const char* name, const Tensor& like) const {
    Tensor x = call.factor(name);
    TORCH_CHECK(x.sizes() == like.sizes(), "expected ", name, " ", written(like.sizes()), ", got ", written(x.sizes()));
    return byHead(x, heads);
  }

  /** Flash attention on CUDA is for rounded numbers, the memory-efficient one for f32; both want sizes of eights. */
  bool onCuda() const { return q.is_cuda() && q.size(3) % 8 == 0; }
  bool rounded() const { return q.scalar_type() != at::kFloat; }
  Tensor scores() const { return at::matmul(q.to(at::kFloat) / std::sqrt(double(q.size(3))), k.to(at::kFloat).transpose(-2, -1)); }
};

/** The result, log Σ eˢ of each row, and beside it what the gradient reads: the result again, log Σ eˢ, seeds. */
Result attention(Call& call) {
  Heads by(call);
  Tensor y, logSum, seed, offset;
  if (by.q.numel() == 0) {
    y = by.q;
    logSum = by.q.sum(-1);
  } else if (by.q.is_cpu()) {
    std::tie(y, logSum) = at::_scaled_dot_product_flash_attention_for_cpu(by.q, by.k, by.v);
  } else if (by.onCuda() && by.rounded()) {
    auto made = at::_scaled_dot_product_flash_attention(by.q, by.k, by.v);
    y = std::get<0>(made), logSum = std::get<1>(made), seed = std::get<6>(made), offset = std::get<7>(made);
  } else if (by.onCuda()) {
    std::tie(y, logSum, seed, offset) = at::_scaled_dot_product_efficient_attention(by.q, by.k, by.v, {}, true);
  } else {
    Tensor scores = by.scores();
    logSum = at::logsumexp(scores, -1);
    y = at::matmul(at::softmax(scores, -1).to(by.v.scalar_type()), by.v);
  }
  // The memory-efficient one pads its rows.
  Tensor visible = logSum.narrow(2, 0, by.q.size(2)).unsqueeze(-1);
  Result result(Tensors{together(y), visible});
  result.beside = {y, logSum, seed, offset};
  return result;
}

/** dS = P∘(dP − Σ P∘dP), with P from log Σ eˢ. */
std::tuple<Tensor, Tensor, Tensor> plainGradient(const Heads& by, const Tensor& dy, const Tensor& logSum) {
  Tensor weights = at::exp(by.scores() - logSum.unsqueeze(-1)), d = dy.to(at::kFloat);
  Tensor weighted = at::matmul(d, by.v.to(at::kFloat).transpose(-2, -1)) * weights;
  Tensor dScores = (weighted - weights * weighted.sum(-1, true)) / std::sqrt(double(by.q.size(3)));
  return {at::matmul(dScores, by.k.to(at::kFloat)), at::matmul(dScores.transpose(-2, -1), by.q.to(at::kFloat)),
          at::matmul(weights.transpose(-2, -1), d)};
}

Tensors attentionGradient(Call& call) {
  Heads by(call);
  Tensor dy = by.part(call, "dy", call.in("q"));
  const Tensors& beside = call.beside("logSum");
  TORCH_CHECK(beside.size() == 4 && beside[0].sizes() == by.q.sizes(), "expected the logSum of these queries");
  const auto& [y, logSum, seed, offset] = std::tie(beside[0], beside[1], beside[2], beside[3]);
  Tensor dq, dk, dv;
  if (by.q.numel() == 0) {
    dq = dk = dv = by.q;
  } else if (by.q.is_cpu()) {
    std::tie(dq, dk, dv) = at::_scaled_dot_product_flash_attention_for_cpu_backward(dy, by.q, by.k, by.v, y, logSum, 0, false);
  } else if (by.onCuda() && by.rounded()) {
    int64_t tokens = by.q.size(2);
    std::tie(dq, dk, dv) = at::_scaled_dot_product_flash_attention_backward(
        dy, by.q, by.k, by.v, y, logSum, Tensor(), Tensor(), tokens, tokens, 0, false, seed, offset);
  } else if (by.onCuda()) {
    std::tie(dq, dk, dv, std::ignore) = at::_scaled_dot_product_efficient_attention_backward(
        dy, by.q, by.k, by.v, Tensor(), y, logSum, seed, offset, 0, {true, true, true, false});
  } else {
    std::tie(dq, dk, dv) = plainGradient(by, dy, logSum);
  }
  return {together(dq), together(dk), together(dv)};
}

const Kernels kernels{
    {"Attention", attention},
    {"AttentionGrad", [](Call& call) -> Result { return attentionGradient(call); }},
};

}  // namespace
}  // namespace millrace
