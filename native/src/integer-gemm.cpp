#include "integer-gemm.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "loops.h"
#include "parallel.h"
#include "rows.h"

namespace millrace {
namespace {

size_t partsOf(size_t n, size_t part) { return (n + part - 1) / part; }

int32_t* intsOf(const Buffer& buffer) { return static_cast<int32_t*>(buffer->data); }
float* floatsOf(const Buffer& buffer) { return static_cast<float*>(buffer->data); }

/** A weight's columns in integers. */
struct IntegerWeight : Packing {
  /** As `IntegerProduct` has them; one scale for each column of all tiles. */
  Buffer numbers, scales, begin;
};

/** A weight [k, n] with strides, read as f32. */
struct Plain {
  const void* data;
  bool bf16;
  int64_t row, column;

  float at(size_t k, size_t n) const {
    int64_t i = int64_t(k) * row + int64_t(n) * column;
    if (!bf16) return static_cast<const float*>(data)[i];
    uint32_t bits = uint32_t(static_cast<const uint16_t*>(data)[i]) << 16;
    float x;
    std::memcpy(&x, &bits, 4);
    return x;
  }
};

/** Rounds `columns` columns from `first` on into a tile; what the tile has beyond them stays zero. */
void roundTile(Integers kind, const Plain& weight, size_t k, size_t first, size_t columns, int32_t* numbers,
               float* scales, int32_t* begin) {
  const IntegerTiles& tiles = integerTiles();
  IntegerFormat format = formatOf(kind);
  float most = float(tiles.mostOfWeight[int(kind)]);
  // Column by column, read in the order in which they lie.
  std::vector<float> wide(k * columns);
  if (weight.row == 1)
    for (size_t c = 0; c < columns; c++)
      for (size_t i = 0; i < k; i++) wide[c * k + i] = weight.at(i, first + c);
  else
    for (size_t i = 0; i < k; i++)
      for (size_t c = 0; c < columns; c++) wide[c * k + i] = weight.at(i, first + c);
  for (size_t c = 0; c < columns; c++) {
    const float* x = wide.data() + c * k;
    float largest = 0;
    bool finite = true;
    for (size_t i = 0; i < k; i++) {
      finite = finite && std::isfinite(x[i]);
      largest = std::max(largest, std::fabs(x[i]));
    }
    scales[c] = finite ? largest / most : NAN;
    if (!finite || largest < 1e-30f) continue;
    float inverse = most / largest;
    for (size_t i = 0; i < k; i++) {
      int value = int(std::lrint(x[i] * inverse));
      char* word = reinterpret_cast<char*>(numbers + i / format.perWord * tiles.columns + c);
      if (kind == Integers::int8) {
        word[i % 4] = char(value);
        begin[i / format.perBlock * tiles.columns + c] -= tiles.addedToBytes * value;
      } else {
        int16_t narrow = int16_t(value);
        std::memcpy(word + i % 2 * 2, &narrow, 2);
      }
    }
  }
}

Buffer zeros(size_t count) {
  Buffer made = allocate(product({count, 4}));
  std::memset(made->data, 0, count * 4);
  return made;
}

std::shared_ptr<IntegerWeight> rounded(Integers kind, const Plain& weight, size_t k, size_t n) {
  const IntegerTiles& tiles = integerTiles();
  IntegerFormat format = formatOf(kind);
  size_t words = partsOf(k, format.perWord * kRun) * kRun;
  size_t blocks = partsOf(k, format.perBlock), parts = partsOf(n, tiles.columns);
  auto made = std::make_shared<IntegerWeight>();
  made->numbers = zeros(product({parts, words, tiles.columns}));
  made->scales = zeros(parts * tiles.columns);
  if (kind == Integers::int8) made->begin = zeros(product({parts, blocks, tiles.columns}));
  parallelFor(parts, 1, [&](size_t b, size_t e) {
    for (size_t part = b; part < e; part++) {
      size_t first = part * tiles.columns;
      roundTile(kind, weight, k, first, std::min(tiles.columns, n - first),
                intsOf(made->numbers) + part * words * tiles.columns, floatsOf(made->scales) + first,
                made->begin ? intsOf(made->begin) + part * blocks * tiles.columns : nullptr);
    }
  });
  return made;
}

/**
 * The weight's columns in integers, made once per weight and orientation. A weight has one kind of integers at a time:
 * asked for another, it lets go of those that it has.
 */
const IntegerWeight& weightOf(Call& call, const Gemm& g, Integers kind) {
  bool transposed = g.b.strides[0] == 1 && g.n != 1;
  int key = kIntegerPackings + int(kind) * 2 + int(transposed);
  auto& packings = g.weight->packings;
  for (auto& [name, packing] : packings)
    if (name == key) return *static_cast<IntegerWeight*>(packing.get());
  auto isOther = [&](const auto& entry) {
    return entry.first >= kIntegerPackings && (entry.first - kIntegerPackings) / 2 != int(kind);
  };
  packings.erase(std::remove_if(packings.begin(), packings.end(), isOther), packings.end());
  Plain plain = {g.weight->buffer->data, g.weight->type == Type::bf16, g.b.strides[0], g.b.strides[1]};
  auto made = rounded(kind, plain, size_t(g.k), size_t(g.n));
  keepPacking(call, *g.weight, key, made);
  return *made;
}

Place placeOf(const Matrix& matrix) {
  return {matrix.data, matrix.type == Type::bf16, size_t(matrix.strides[0])};
}

/** How many bytes of a weight are multiplied with one tile of rows after the other: they stay in the second-level cache. */
constexpr size_t kWeightBytes = 640 << 10;

}  // namespace

IntegerRows::IntegerRows(Integers kind, size_t rows, size_t width)
    : kind(kind), rows(rows), width(width), runs(partsOf(width, formatOf(kind).perWord * kRun)) {
  size_t tile = integerTiles().rows[int(kind)], tiles = partsOf(rows, tile);
  numbers = allocate(product({tiles, runs, tile, kRun, 4}));
  scales = allocate(product({rows, 4}));
  // The rows that the last tile lacks.
  if (rows % tile) std::memset(intsOf(numbers) + (tiles - 1) * runs * tile * kRun, 0, runs * tile * kRun * 4);
}

void IntegerRows::set(size_t row, const void* x, bool bf16) {
  size_t tile = integerTiles().rows[int(kind)];
  int32_t* to = intsOf(numbers) + (row / tile * tile * runs + row % tile) * kRun;
  integerTiles().quantize(kind, x, bf16, width, to, tile * kRun, floatsOf(scales) + row);
}

IntegerRows integerRows(Integers kind, const Matrix& matrix, size_t rows, size_t width) {
  IntegerRows made(kind, rows, width);
  bool bf16 = matrix.type == Type::bf16;
  size_t step = size_t(matrix.strides[0]) * sizeOf(matrix.type);
  parallelFor(rows, worthSplitting(width), [&](size_t b, size_t e) {
    for (size_t row = b; row < e; row++) made.set(row, static_cast<const char*>(matrix.data) + row * step, bf16);
  });
  return made;
}

void integerGemm(Call& call, const Gemm& g, const IntegerRows& a) {
  const IntegerTiles& tiles = integerTiles();
  size_t m = size_t(g.m), n = size_t(g.n), tileRows = tiles.rows[int(a.kind)];
  if (m == 0 || n == 0) return;
  if (a.width == 0) throw std::runtime_error("expected an inner size from 1, got 0");
  if (!isFloat(g.weight->type)) throw std::runtime_error("expected a float weight");
  if (g.added.size() > kMostAdded) throw std::runtime_error("expected less to add to a product of integers");
  const IntegerWeight& weight = weightOf(call, g, a.kind);
  IntegerProduct p = {};
  p.kind = a.kind, p.rows = m, p.columns = n, p.runs = a.runs;
  p.a = intsOf(a.numbers), p.weights = intsOf(weight.numbers), p.begin = weight.begin ? intsOf(weight.begin) : nullptr;
  p.rowScales = floatsOf(a.scales), p.columnScales = floatsOf(weight.scales), p.bias = g.bias;
  for (const Matrix& matrix : g.added) p.added[p.addedCount++] = placeOf(matrix);
  p.y = placeOf(g.c);
  size_t rowTiles = partsOf(m, tileRows), columnTiles = partsOf(n, tiles.columns);
  size_t most = std::max<size_t>(1, kWeightBytes / (a.runs * kRun * 4 * tiles.columns));
  size_t groups = partsOf(columnTiles, most), wide = partsOf(columnTiles, groups);
  parallelFor(groups * rowTiles, 1, [&](size_t b, size_t e) {
    while (b < e) {
      size_t i = b % rowTiles, j = b / rowTiles * wide, count = std::min(rowTiles - i, e - b);
      tiles.multiply(p, {i, i + count}, {j, std::min(j + wide, columnTiles)});
      b += count;
    }
  });
}

}  // namespace millrace
