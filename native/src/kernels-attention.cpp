#include <cmath>

#include "gemm.h"
#include "loops.h"
#include "parallel.h"

namespace millrace {
namespace {

/** The heads of [batch, tokens, heads·size], as one batch of [tokens, size]. */
Matrix headsOf(void* data, Type type, int64_t tokens, int64_t heads, int64_t size) {
  return {data, type, {tokens * heads * size, size, heads * size, 1}};
}

Matrix transposed(Matrix m) {
  std::swap(m.strides[2], m.strides[3]);
  return m;
}

Matrix square(void* data, Type type, int64_t tokens, int64_t heads) {
  return {data, type, {heads * tokens * tokens, tokens * tokens, tokens, 1}};
}

/** ints: batch, tokens, width, heads. outs: result, weights. */
void attention(Call& c) {
  int64_t batch = c.ints[0], tokens = c.ints[1], width = c.ints[2], heads = c.ints[3], size = width / heads;
  Type type = c.engine->bf16 ? Type::bf16 : Type::f32;
  size_t rows = size_t(batch * heads * tokens);
  Slot& stored = c.out(1, type, rows * size_t(tokens));
  float* scores = type == Type::f32 ? stored.data<float>() : c.temp<float>(rows * size_t(tokens));
  Gemm g;
  g.batch = {batch, heads};
  g.m = tokens, g.n = tokens, g.k = size;
  g.a = headsOf(as(c, 0, type), type, tokens, heads, size);
  g.b = transposed(headsOf(as(c, 1, type), type, tokens, heads, size));
  g.c = square(scores, Type::f32, tokens, heads);
  gemm(c, g);
  float scale = 1.f / std::sqrt(float(size));
  uint16_t* narrow = type == Type::bf16 ? stored.data<uint16_t>() : nullptr;
  parallelFor(rows, 16, [&](size_t b, size_t e) {
    for (size_t r = b; r < e; r++) {
      float* row = scores + r * size_t(tokens);
      loops().softmax(row, scale, row, size_t(tokens));
      if (narrow) loops().toBf16(row, narrow + r * size_t(tokens), size_t(tokens));
    }
  });
  Slot& y = c.out(0, type, size_t(batch * tokens * width));
  g.n = size, g.k = tokens;
  g.a = square(c.engine->slot(c.outs[1]).buffer->data, type, tokens, heads);
  g.b = headsOf(as(c, 2, type), type, tokens, heads, size);
  g.c = headsOf(y.buffer->data, type, tokens, heads, size);
  gemm(c, g);
}

/** ins: dy, q, k, v, weights; outs: dq, dk, dv; ints as above. */
void attentionGrad(Call& c) {
  int64_t batch = c.ints[0], tokens = c.ints[1], width = c.ints[2], heads = c.ints[3], size = width / heads;
  Type type = c.engine->bf16 ? Type::bf16 : Type::f32;
  size_t rows = size_t(batch * heads * tokens), count = size_t(batch * tokens * width);
  void *dy = as(c, 0, type), *q = as(c, 1, type), *k = as(c, 2, type), *v = as(c, 3, type), *p = as(c, 4, type);
  auto heading = [&](void* data) { return headsOf(data, type, tokens, heads, size); };
  auto result = [&](size_t i) { return heading(c.out(i, type, count).buffer->data); };
  float* dp = c.temp<float>(rows * size_t(tokens));
  Gemm g;
  g.batch = {batch, heads};
  // dP = dY·Vᵀ
  g.m = tokens, g.n = tokens, g.k = size;
  g.a = heading(dy), g.b = transposed(heading(v)), g.c = square(dp, Type::f32, tokens, heads);
  gemm(c, g);
  // dV = Pᵀ·dY
  Matrix weights = square(p, type, tokens, heads);
  g.n = size, g.k = tokens;
  g.a = transposed(weights), g.b = heading(dy), g.c = result(2);
  gemm(c, g);
  // dS = scale·P∘(dP − ΣP∘dP)
  float scale = 1.f / std::sqrt(float(size));
  uint16_t* narrow = type == Type::bf16 ? c.temp<uint16_t>(rows * size_t(tokens)) : nullptr;
  float* wide = type == Type::bf16 ? nullptr : static_cast<float*>(p);
  parallelFor(rows, 16, [&](size_t b, size_t e) {
    std::unique_ptr<float[]> buffer(new float[size_t(tokens)]);
    for (size_t r = b; r < e; r++) {
      size_t at = r * size_t(tokens);
      const float* row = wide ? wide + at : buffer.get();
      if (narrow) loops().toF32(static_cast<uint16_t*>(p) + at, buffer.get(), size_t(tokens));
      loops().softmaxGrad(row, dp + at, scale, dp + at, size_t(tokens));
      if (narrow) loops().toBf16(dp + at, narrow + at, size_t(tokens));
    }
  });
  Matrix ds = square(narrow ? static_cast<void*>(narrow) : dp, type, tokens, heads);
  g.a = ds, g.b = heading(k), g.c = result(0);
  gemm(c, g);
  g.a = transposed(ds), g.b = heading(q), g.c = result(1);
  gemm(c, g);
}

KERNEL("Attention", attention);
KERNEL("AttentionGrad", attentionGrad);

}  // namespace
}  // namespace millrace
