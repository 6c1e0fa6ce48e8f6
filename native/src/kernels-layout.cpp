#include <cstring>

#include "rows.h"

namespace millrace {
namespace {

/** One strided box of numbers to copy. */
struct Box {
  std::vector<int64_t> shape, in, out;
  int64_t inAt = 0, outAt = 0;
};

/** Drops dimensions of size 1 and joins neighbours that lie behind one another on both sides. */
Box joined(const Box& box) {
  Box r;
  r.inAt = box.inAt;
  r.outAt = box.outAt;
  for (size_t i = 0; i < box.shape.size(); i++) {
    int64_t n = box.shape[i];
    if (n == 1) continue;
    if (!r.shape.empty() && r.in.back() == box.in[i] * n && r.out.back() == box.out[i] * n) {
      r.shape.back() *= n;
      r.in.back() = box.in[i];
      r.out.back() = box.out[i];
    } else {
      r.shape.push_back(n);
      r.in.push_back(box.in[i]);
      r.out.push_back(box.out[i]);
    }
  }
  return r;
}

template <typename T>
void copyBox(const T* from, T* to, const Box& given) {
  Box box = joined(given);
  from += box.inAt;
  to += box.outAt;
  if (box.shape.empty()) {
    *to = *from;
    return;
  }
  size_t last = box.shape.size() - 1;
  int64_t n = box.shape[last], si = box.in[last], so = box.out[last];
  size_t rows = 1;
  for (size_t d = 0; d < last; d++) rows *= size_t(box.shape[d]);
  auto row = [&](const T* x, T* y, int64_t m) {
    if (si == 1 && so == 1)
      std::memcpy(y, x, size_t(m) * sizeof(T));
    else if (so == 1)
      for (int64_t i = 0; i < m; i++) y[i] = x[i * si];
    else
      for (int64_t i = 0; i < m; i++) y[i * so] = x[i * si];
  };
  // Long rows are cut, so that a plain copy uses all threads too.
  size_t cut = 65536, pieces = (size_t(n) + cut - 1) / cut;
  parallelFor(rows * pieces, std::max<size_t>(1, kWorthSplitting / size_t(std::min<int64_t>(n, int64_t(cut)))),
              [&](size_t begin, size_t end) {
                for (size_t unit = begin; unit < end; unit++) {
                  size_t rest = unit / pieces;
                  int64_t start = int64_t(unit % pieces * cut);
                  int64_t i = start * si, o = start * so;
                  for (size_t d = last; d-- > 0;) {
                    int64_t at = int64_t(rest % size_t(box.shape[d]));
                    rest /= size_t(box.shape[d]);
                    i += at * box.in[d];
                    o += at * box.out[d];
                  }
                  row(from + i, to + o, std::min<int64_t>(n - start, int64_t(cut)));
                }
              });
}

/**
 * Copies a strided box of each input into one result: transpose, slice, reverse, broadcast, pad, concatenate.
 *
 * ints: count of the result, whether to fill it first, then for each input rank, shape…, its strides…, its offset,
 * the result's strides…, the result's offset. floats: what to fill with.
 */
void assemble(Call& c) {
  size_t count = size_t(c.ints[0]);
  Type type = c.in(0).type;
  for (size_t i = 1; i < c.ins.size(); i++)
    if (c.in(i).type != type) type = Type::f32;
  Slot& y = c.out(0, type, count);
  if (c.ints[1]) {
    if (c.floats[0] == 0)
      std::memset(y.buffer->data, 0, count * sizeOf(type));
    else
      for (size_t i = 0; i < count; i++) setNumber(y, i, c.floats[0]);
  }
  size_t at = 2;
  for (size_t i = 0; i < c.ins.size(); i++) {
    size_t rank = size_t(c.ints[at++]);
    Box box;
    auto take = [&](std::vector<int64_t>& into) {
      into.assign(c.ints.begin() + long(at), c.ints.begin() + long(at + rank));
      at += rank;
    };
    take(box.shape);
    take(box.in);
    box.inAt = c.ints[at++];
    take(box.out);
    box.outAt = c.ints[at++];
    bool empty = false;
    for (int64_t n : box.shape) empty = empty || n == 0;
    if (empty) continue;
    const void* from = type == Type::f32 ? c.f32(i) : c.in(i).buffer->data;
    switch (sizeOf(type)) {
      case 4: copyBox(static_cast<const uint32_t*>(from), y.data<uint32_t>(), box); break;
      case 2: copyBox(static_cast<const uint16_t*>(from), y.data<uint16_t>(), box); break;
      default: copyBox(static_cast<const uint8_t*>(from), y.data<uint8_t>(), box);
    }
  }
}

/** ints: numbers in a step along the axis, steps of each output. */
void split(Call& c) {
  Slot& x = c.in(0);
  Type type = x.type;
  size_t inner = size_t(c.ints[0]), steps = 0, at = 0;
  for (size_t i = 1; i < c.ints.size(); i++) steps += size_t(c.ints[i]);
  size_t row = steps * inner, rows = row ? x.count / row : 0;
  for (size_t i = 0; i < c.outs.size(); i++) {
    size_t wide = size_t(c.ints[i + 1]) * inner, bytes = wide * sizeOf(type);
    char* y = static_cast<char*>(c.out(i, type, rows * wide).buffer->data);
    const char* from = static_cast<const char*>(c.in(0).buffer->data) + at * sizeOf(type);
    for (size_t r = 0; bytes && r < rows; r++) std::memcpy(y + r * bytes, from + r * row * sizeOf(type), bytes);
    at += wide;
  }
}

/** ints: depth, type; floats: on, off. */
void oneHot(Call& c) {
  int64_t depth = c.ints[0];
  Slot& y = c.out(0, Type(c.ints[1]), c.in(0).count * size_t(depth));
  Slot& x = c.in(0);
  parallelFor(x.count, 1024, [&](size_t b, size_t e) {
    for (size_t i = b; i < e; i++)
      for (int64_t k = 0; k < depth; k++)
        setNumber(y, i * size_t(depth) + size_t(k), x.data<int32_t>()[i] == k ? c.floats[0] : c.floats[1]);
  });
}

/** ins: x as [a, r, b], indices; ints: a, r, b. The result is [a, indices, b]. */
void gather(Call& c) {
  size_t a = size_t(c.ints[0]), r = size_t(c.ints[1]), b = size_t(c.ints[2]), n = c.in(1).count;
  const int32_t* indices = c.in(1).data<int32_t>();
  for (size_t i = 0; i < n; i++)
    if (indices[i] < 0 || size_t(indices[i]) >= r)
      throw std::runtime_error("index " + std::to_string(indices[i]) + " is not from 0 to " + std::to_string(r - 1));
  Slot& y = c.out(0, c.in(0).type, a * n * b);
  Slot& x = c.in(0);
  indices = c.in(1).data<int32_t>();
  size_t bytes = b * sizeOf(x.type);
  parallelFor(a * n, 256, [&](size_t from, size_t to) {
    for (size_t u = from; u < to; u++)
      std::memcpy(y.data<char>() + u * bytes, x.data<char>() + (u / n * r + size_t(indices[u % n])) * bytes, bytes);
  });
}

KERNEL("assemble", assemble);
KERNEL("split", split);
KERNEL("OneHot", oneHot);
KERNEL("gather", gather);

}  // namespace
}  // namespace millrace
