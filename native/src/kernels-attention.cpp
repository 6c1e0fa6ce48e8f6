#include <cmath>

#include "attention-bf16.h"
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

/** q, k, v and y are [batch, tokens, width]; `logSum` is log Σ eˢ of each row of scores. */
struct AttentionSizes : Arguments {
  NUMBERS(batch, tokens, width, heads);
};

struct Attention : AttentionSizes {
  INPUTS(q, k, v);
  RESULTS(y, logSum);
  static void run(Call& c);
};

struct AttentionGrad : AttentionSizes {
  INPUTS(dy, q, k, v, logSum);
  RESULTS(dq, dk, dv);
  static void run(Call& c);
};

/** What attention works on. */
struct Shape {
  using Num = AttentionSizes::Num;

  int64_t batch, tokens, width, heads, size;
  Type type;
  /** The number of images at a time: enough work for all threads, with as few scores in memory as possible. */
  int64_t group;
  float scale;

  explicit Shape(const Call& c)
      : batch(int64_t(c.size(Num::batch))), tokens(int64_t(c.size(Num::tokens))),
        width(int64_t(c.size(Num::width))), heads(int64_t(c.divisor(Num::heads))), size(width / heads), type(c.engine->bf16 ? Type::bf16 : Type::f32),
        group(std::min<int64_t>(batch, (2 * c.engine->threads + heads - 1) / heads)),
        scale(1.f / std::sqrt(float(size))) {
    if (width % heads != 0)
      throw std::runtime_error("expected heads that divide the width of " + std::to_string(width) + ", got " +
                               std::to_string(heads));
    product({size_t(std::max(batch, group)), size_t(heads), size_t(tokens), size_t(std::max(tokens, size))});
  }
  size_t count() const { return product({size_t(batch), size_t(tokens), size_t(width)}); }
  size_t rows(int64_t images) const { return size_t(images * heads * tokens); }
  /** The offset of an image in q, k, v or the result, in bytes. */
  size_t before(int64_t image) const { return size_t(image * tokens * width) * sizeOf(type); }
};

char* at(void* data, size_t bytes) { return static_cast<char*>(data) + bytes; }

/** Calls work(head, its number, offset of its first number, scratch) for every head, on all threads. */
template <typename Work>
void eachHead(const Shape& s, const void* q, const void* k, const void* v, Work work) {
  const AttentionLoops& own = *attentionLoops();
  size_t bytes = own.scratch(size_t(s.tokens), size_t(s.size));
  parallelFor(size_t(s.batch * s.heads), 1, [&](size_t b, size_t e) {
    Buffer room = allocate(bytes);
    for (size_t i = b; i < e; i++) {
      size_t from = i / size_t(s.heads) * size_t(s.tokens * s.width) + i % size_t(s.heads) * size_t(s.size);
      auto place = [&](const void* x) { return static_cast<const uint16_t*>(x) + from; };
      AttentionHead head = {size_t(s.tokens), size_t(s.size), size_t(s.width), place(q), place(k), place(v), s.scale};
      work(head, i, from, room->data);
    }
  });
}

bool ownLoops(const Shape& s) { return s.type == Type::bf16 && s.size % 2 == 0 && attentionLoops(); }

void Attention::run(Call& c) {
  Shape s(c);
  size_t count = s.count();
  void *q = as(c, In::q, s.type, count), *k = as(c, In::k, s.type, count), *v = as(c, In::v, s.type, count);
  float* logSum = c.outF32(Out::logSum, s.rows(s.batch));
  void* y = c.out(Out::y, s.type, count).buffer->data;
  if (count == 0) return std::fill_n(logSum, s.rows(s.batch), 0.f), void();
  if (ownLoops(s)) {
    eachHead(s, q, k, v, [&](const AttentionHead& head, size_t i, size_t from, void* room) {
      attentionLoops()->forward(head, static_cast<uint16_t*>(y) + from, logSum + i * head.tokens, room);
    });
    return;
  }
  size_t n = size_t(s.tokens);
  float* scores = c.temp<float>(s.rows(s.group) * n);
  uint16_t* narrow = s.type == Type::bf16 ? c.temp<uint16_t>(s.rows(s.group) * n) : nullptr;
  for (int64_t image = 0; image < s.batch; image += s.group) {
    int64_t images = std::min(s.group, s.batch - image);
    auto heading = [&](void* x) { return headsOf(at(x, s.before(image)), s.type, s.tokens, s.heads, s.size); };
    Gemm g;
    g.batch = {images, s.heads};
    g.m = s.tokens, g.n = s.tokens, g.k = s.size;
    g.a = heading(q), g.b = transposed(heading(k)), g.c = square(scores, Type::f32, s.tokens, s.heads);
    gemm(c, g);
    parallelFor(s.rows(images), 16, [&](size_t b, size_t e) {
      for (size_t r = b; r < e; r++) {
        float* row = scores + r * n;
        logSum[s.rows(image) + r] = loops().softmax(row, s.scale, row, n);
        if (narrow) loops().toBf16(row, narrow + r * n, n);
      }
    });
    g.n = s.size, g.k = s.tokens;
    g.a = square(narrow ? static_cast<void*>(narrow) : scores, s.type, s.tokens, s.heads);
    g.b = heading(v), g.c = heading(y);
    gemm(c, g);
  }
}

void AttentionGrad::run(Call& c) {
  Shape s(c);
  size_t count = s.count(), n = size_t(s.tokens);
  void *dy = as(c, In::dy, s.type, count), *q = as(c, In::q, s.type, count), *k = as(c, In::k, s.type, count),
       *v = as(c, In::v, s.type, count);
  const float* logSum = c.f32(In::logSum, s.rows(s.batch));
  void *dq = c.out(Out::dq, s.type, count).buffer->data, *dk = c.out(Out::dk, s.type, count).buffer->data,
       *dv = c.out(Out::dv, s.type, count).buffer->data;
  if (count == 0) return;
  if (ownLoops(s)) {
    eachHead(s, q, k, v, [&](const AttentionHead& head, size_t i, size_t from, void* room) {
      auto place = [&](void* x) { return static_cast<uint16_t*>(x) + from; };
      attentionLoops()->backward(head, place(dy), logSum + i * n, place(dq), place(dk), place(dv), room);
    });
    return;
  }
  bool narrow = s.type == Type::bf16;
  float *scores = c.temp<float>(s.rows(s.group) * n), *slopes = c.temp<float>(s.rows(s.group) * n);
  void* weights = narrow ? static_cast<void*>(c.temp<uint16_t>(s.rows(s.group) * n)) : scores;
  void* ds = narrow ? static_cast<void*>(c.temp<uint16_t>(s.rows(s.group) * n)) : slopes;
  for (int64_t image = 0; image < s.batch; image += s.group) {
    int64_t images = std::min(s.group, s.batch - image);
    auto heading = [&](void* x) { return headsOf(at(x, s.before(image)), s.type, s.tokens, s.heads, s.size); };
    auto squared = [&](void* x, Type type) { return square(x, type, s.tokens, s.heads); };
    Gemm g;
    g.batch = {images, s.heads};
    auto product = [&](Matrix a, Matrix b, Matrix result, int64_t columns, int64_t sum) {
      g.m = s.tokens, g.n = columns, g.k = sum;
      g.a = std::move(a), g.b = std::move(b), g.c = std::move(result);
      gemm(c, g);
    };
    product(heading(q), transposed(heading(k)), squared(scores, Type::f32), s.tokens, s.size);
    product(heading(dy), transposed(heading(v)), squared(slopes, Type::f32), s.tokens, s.size);
    // P = e^(scale·s − logSum), dS = scale·P∘(dP − ΣP∘dP)
    parallelFor(s.rows(images), 16, [&](size_t b, size_t e) {
      for (size_t r = b; r < e; r++) {
        float *p = scores + r * n, *slope = slopes + r * n;
        loops().softmaxAgain(p, s.scale, logSum[s.rows(image) + r], p, n);
        loops().softmaxGrad(p, slope, s.scale, slope, n);
        if (!narrow) continue;
        loops().toBf16(p, static_cast<uint16_t*>(weights) + r * n, n);
        loops().toBf16(slope, static_cast<uint16_t*>(ds) + r * n, n);
      }
    });
    product(squared(ds, s.type), heading(k), heading(dq), s.size, s.tokens);
    product(transposed(squared(ds, s.type)), heading(q), heading(dk), s.size, s.tokens);
    product(transposed(squared(weights, s.type)), heading(dy), heading(dv), s.size, s.tokens);
  }
}

KERNEL("Attention", Attention);
KERNEL("AttentionGrad", AttentionGrad);

}  // namespace
}  // namespace millrace
