#include "gemm.h"

#if __has_include(<oneapi/dnnl/dnnl.hpp>)
#include <oneapi/dnnl/dnnl.hpp>
#else
#include <dnnl.hpp>
#endif
#include <cstring>

#include "loops.h"
#include "page-out.h"
#include "parallel.h"

namespace millrace {
namespace {

using dnnl::memory;
using Dims = memory::dims;

struct Copied : Packing {
  Buffer buffer;
};

struct Packed : Copied {
  memory::desc desc;
};

struct Compiled {
  dnnl::matmul primitive;
  memory::desc a, b, bias, c, scratchpad;
  std::vector<memory::desc> added;
};

/** oneDNN's objects belong to the thread that runs the kernels. */
struct Runtime {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::unordered_map<std::string, Compiled> compiled;
};

Runtime& runtime() {
  thread_local Runtime instance;
  return instance;
}

memory::data_type typeOf(Type type) {
  return type == Type::bf16 ? memory::data_type::bf16 : memory::data_type::f32;
}

memory::desc describe(const Gemm& g, const Matrix& matrix, int64_t rows, int64_t columns) {
  Dims dims, strides;
  for (size_t i = 0; i < g.batch.size(); i++) {
    bool repeats = matrix.strides[i] == 0;
    dims.push_back(repeats ? 1 : g.batch[i]);
    strides.push_back(repeats ? rows * columns : matrix.strides[i]);
  }
  dims.insert(dims.end(), {rows, columns});
  strides.insert(strides.end(), matrix.strides.end() - 2, matrix.strides.end());
  return memory::desc(dims, typeOf(matrix.type), strides);
}

Compiled compile(const Gemm& g) {
  auto& engine = runtime().engine;
  Compiled made;
  made.a = describe(g, g.a, g.m, g.k);
  made.b = describe(g, g.b, g.k, g.n);
  made.c = describe(g, g.c, g.m, g.n);
  memory::desc b = made.b;
  if (g.weight) b = memory::desc({g.k, g.n}, typeOf(g.b.type), memory::format_tag::any);
  if (g.bias) {
    Dims dims(g.batch.size() + 2, 1), strides(g.batch.size() + 2, g.n);
    dims.back() = g.n;
    strides.back() = 1;
    made.bias = memory::desc(dims, memory::data_type::f32, strides);
  }
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops post;
  if (g.accumulate) post.append_sum(1.f);
  for (const Matrix& matrix : g.added) {
    made.added.push_back(describe(g, matrix, g.m, g.n));
    post.append_binary(dnnl::algorithm::binary_add, made.added.back());
  }
  attributes.set_post_ops(post);
#if DNNL_VERSION_MAJOR >= 3
  auto description = g.bias ? dnnl::matmul::primitive_desc(engine, made.a, b, made.bias, made.c, attributes)
                            : dnnl::matmul::primitive_desc(engine, made.a, b, made.c, attributes);
#else
  auto description = dnnl::matmul::primitive_desc(
      g.bias ? dnnl::matmul::desc(made.a, b, made.bias, made.c) : dnnl::matmul::desc(made.a, b, made.c), attributes,
      engine);
#endif
  made.b = description.weights_desc();
  made.scratchpad = description.scratchpad_desc();
  made.primitive = dnnl::matmul(description);
  return made;
}

void append(std::string& key, int64_t value) { key.append(reinterpret_cast<const char*>(&value), sizeof(value)); }

Compiled& compiled(const Gemm& g) {
  std::string key;
  for (int64_t value : {g.m, g.n, g.k, int64_t(g.bias != nullptr), int64_t(g.accumulate), int64_t(g.weight != nullptr)})
    append(key, value);
  for (int64_t size : g.batch) append(key, size);
  auto appendMatrix = [&](const Matrix& matrix) {
    append(key, int64_t(matrix.type));
    for (int64_t stride : matrix.strides) append(key, stride);
  };
  for (const Matrix* matrix : {&g.a, &g.b, &g.c}) appendMatrix(*matrix);
  for (const Matrix& matrix : g.added) appendMatrix(matrix);
  auto& cache = runtime().compiled;
  auto found = cache.find(key);
  if (found != cache.end()) return found->second;
  // Shapes are few in a run; a program that never repeats one must not grow without end.
  if (cache.size() >= 1024) cache.clear();
  return cache.emplace(key, compile(g)).first->second;
}

bool transposed(const Gemm& g) { return g.b.strides[0] == 1 && g.n != 1; }

/** The weight in the layout that `wanted` describes, made once per weight, orientation and layout. */
void* packed(Call& call, const Gemm& g, const memory::desc& wanted) {
  int key = int(g.b.type) * 2 + int(transposed(g));
  for (auto& [name, packing] : g.weight->packings) {
    if (name != key) continue;
    auto* held = static_cast<Packed*>(packing.get());
    if (held->desc == wanted) return held->buffer->data;
  }
  auto& [engine, stream, unused] = runtime();
  (void)unused;
  // The reorder converts to bf16 as it goes.
  Matrix plain = g.b;
  plain.type = g.weight->type;
  memory::desc from({g.k, g.n}, typeOf(plain.type), Dims(plain.strides));
  auto made = std::make_shared<Packed>();
  made->desc = wanted;
  made->buffer = allocate(wanted.get_size());
  memory source(from, engine, g.weight->buffer->data), target(wanted, engine, made->buffer->data);
  dnnl::reorder(source, target).execute(stream, source, target);
  stream.wait();
  keepPacking(call, *g.weight, key, made);
  return made->buffer->data;
}

/** Whether oneDNN has bf16 products for this processor; on x86 they want AVX512. */
bool multipliesBf16() {
  static const bool able = [] {
    Gemm g;
    g.m = g.n = g.k = 16;
    for (Matrix* matrix : {&g.a, &g.b, &g.c}) *matrix = {nullptr, Type::bf16, {16, 1}};
    try {
      compile(g);
      return true;
    } catch (const dnnl::error& error) {
      if (error.status != dnnl_unimplemented) throw;
      return false;
    }
  }();
  return able;
}

void toF32(const uint16_t* from, float* to, size_t count) {
  parallelFor(count, 16384, [&](size_t b, size_t e) { loops().toF32(from + b, to + b, e - b); });
}

void toBf16(const float* from, uint16_t* to, size_t count) {
  parallelFor(count, 16384, [&](size_t b, size_t e) { loops().toBf16(from + b, to + b, e - b); });
}

/** A weight in f32 with what bf16 leaves of its numbers, made once. */
float* rounded(Call& call, Slot& weight) {
  constexpr int kRounded = -1;
  for (auto& [name, packing] : weight.packings)
    if (name == kRounded) return static_cast<float*>(static_cast<Copied*>(packing.get())->buffer->data);
  auto made = std::make_shared<Copied>();
  made->buffer = allocate(weight.count * sizeof(float));
  auto* numbers = static_cast<float*>(made->buffer->data);
  uint16_t* narrow = weight.type == Type::bf16 ? weight.data<uint16_t>() : call.temp<uint16_t>(weight.count);
  if (weight.type != Type::bf16) toBf16(weight.data<float>(), narrow, weight.count);
  toF32(narrow, numbers, weight.count);
  keepPacking(call, weight, kRounded, made);
  return numbers;
}

/** How many numbers lie from a matrix's first to its last, gaps included. */
size_t span(const Gemm& g, const Matrix& matrix, int64_t rows, int64_t columns) {
  size_t dims = g.batch.size();
  int64_t last = (rows - 1) * matrix.strides[dims] + (columns - 1) * matrix.strides[dims + 1];
  for (size_t i = 0; i < dims; i++) last += (g.batch[i] - 1) * matrix.strides[i];
  return size_t(last + 1);
}

/** A bf16 product on a processor without one: the numbers are rounded to bf16 and multiplied in f32. */
void widened(Call& call, const Gemm& g) {
  Gemm wide = g;
  auto widen = [&](Matrix& matrix, int64_t rows, int64_t columns, bool read) {
    if (matrix.type != Type::bf16) return;
    size_t count = span(g, matrix, rows, columns);
    float* numbers = call.temp<float>(count);
    if (read) toF32(static_cast<uint16_t*>(matrix.data), numbers, count);
    matrix.data = numbers, matrix.type = Type::f32;
  };
  if (g.weight) {
    wide.b.data = rounded(call, *g.weight), wide.b.type = Type::f32;
    wide.weight = nullptr;
  }
  widen(wide.a, g.m, g.k, true);
  widen(wide.b, g.k, g.n, true);
  widen(wide.c, g.m, g.n, g.accumulate);
  for (Matrix& matrix : wide.added) widen(matrix, g.m, g.n, true);
  gemm(call, wide);
  if (g.c.type != Type::bf16) return;
  // Row by row, since the memory between rows belongs to other data.
  size_t dims = g.batch.size();
  int64_t rows = g.m;
  for (int64_t size : g.batch) rows *= size;
  parallelFor(size_t(rows), std::max<size_t>(1, 16384 / size_t(g.n)), [&](size_t b, size_t e) {
    for (size_t row = b; row < e; row++) {
      int64_t rest = int64_t(row) / g.m, at = int64_t(row) % g.m * g.c.strides[dims];
      for (size_t i = dims; i-- > 0; rest /= g.batch[i]) at += rest % g.batch[i] * g.c.strides[i];
      loops().toBf16(static_cast<float*>(wide.c.data) + at, static_cast<uint16_t*>(g.c.data) + at, size_t(g.n));
    }
  });
}

}  // namespace

void keepPacking(Call& call, Slot& weight, int key, std::shared_ptr<Packing> made) {
  weight.packings.emplace_back(key, std::move(made));
  if (!weight.written) return;
  // The kernel may read the numbers in another role, too.
  call.scratch.push_back(weight.buffer);
  pageOut(weight.buffer);
}

void gemm(Call& call, const Gemm& g) {
  bool empty = g.m == 0 || g.n == 0;
  for (int64_t size : g.batch) empty = empty || size == 0;
  if (empty) return;
  if (g.k == 0) throw std::runtime_error("expected an inner size from 1, got 0");
  if (g.weight && !isFloat(g.weight->type)) throw std::runtime_error("expected a float weight");
  if ((g.a.type == Type::bf16 || g.b.type == Type::bf16) && !multipliesBf16()) return widened(call, g);
  if (g.weight && g.weight->type == Type::f32 && g.b.type == Type::f32) {
    // In f32 oneDNN reads a weight in this layout about as fast as a packed one, which would double its memory.
    Gemm plain = g;
    plain.b.data = g.weight->buffer->data;
    plain.weight = nullptr;
    return gemm(call, plain);
  }
  Compiled& p = compiled(g);
  auto& engine = runtime().engine;
  void* b = g.weight ? packed(call, g, p.b) : g.b.data;
  std::unordered_map<int, memory> arguments = {
      {DNNL_ARG_SRC, memory(p.a, engine, g.a.data)},
      {DNNL_ARG_WEIGHTS, memory(p.b, engine, b)},
      {DNNL_ARG_DST, memory(p.c, engine, g.c.data)},
  };
  if (g.bias) arguments.emplace(DNNL_ARG_BIAS, memory(p.bias, engine, const_cast<float*>(g.bias)));
  int first = g.accumulate ? 1 : 0;
  for (size_t i = 0; i < g.added.size(); i++)
    arguments.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(first + int(i)) | DNNL_ARG_SRC_1,
                      memory(p.added[i], engine, g.added[i].data));
  if (size_t bytes = p.scratchpad.get_size())
    arguments.emplace(DNNL_ARG_SCRATCHPAD, memory(p.scratchpad, engine, call.temp<char>(bytes)));
  p.primitive.execute(runtime().stream, arguments);
  runtime().stream.wait();
}

void* as(Call& call, size_t input, Type type, size_t count) {
  Slot& slot = call.in(input, count);
  if (slot.type == type) return slot.buffer->data;
  const float* from = call.f32(input, count);
  if (type == Type::f32) return const_cast<float*>(from);
  uint16_t* copy = call.temp<uint16_t>(slot.count);
  toBf16(from, copy, slot.count);
  return copy;
}

std::string gemmLibrary() {
  const dnnl::version_t* v = dnnl::version();
  return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

bool hasFastBf16() {
#if defined(__x86_64__)
  // avx512_core_bf16 and all that lie above it; the AVX2 set with VNNI has no bf16 products worth having.
  auto isa = dnnl::get_effective_cpu_isa();
  return (int(isa) & int(dnnl::cpu_isa::avx512_core_bf16)) == int(dnnl::cpu_isa::avx512_core_bf16);
#elif defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
  return true;
#else
  return false;
#endif
}

}  // namespace millrace
