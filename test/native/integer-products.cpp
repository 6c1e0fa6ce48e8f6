// Compares the products in integers that `integerTiles()` chooses on this processor with plain sums, to the last bit, over
// shapes around tiles, runs and blocks. Prints the name of the instruction set and how many products it compared; ends with
// 1 at the first difference. Compiled and run by integers-on-arm.test.ts.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../../native/src/integer-tiles.h"

using namespace millrace;

namespace {

/** What numbers and weights are: of different sizes, or as large as they can be, of one sign or of two. */
enum class Values { drawn, largest, smallest, alternating };

struct Case {
  Integers kind;
  size_t rows, inner, columns;
  Values values;
  bool bias, bf16;
  size_t added;
};

uint32_t state = 1;
/** From 0 to before `count`. */
size_t below(size_t count) {
  state = state * 1664525u + 1013904223u;
  return size_t((uint64_t(state) * count) >> 32);
}
float drawn() { return (float(below(1 << 20)) / (1 << 19) - 1) * float(1u << below(7)); }

float toF32(uint16_t x) {
  uint32_t bits = uint32_t(x) << 16;
  float wide;
  std::memcpy(&wide, &bits, 4);
  return wide;
}
uint16_t toBf16(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  if (std::isnan(x)) return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

size_t partsOf(size_t n, size_t part) { return (n + part - 1) / part; }

/** Zeros that are 64-byte aligned. */
struct Words {
  int32_t* data;
  explicit Words(size_t count) : data(static_cast<int32_t*>(std::aligned_alloc(64, partsOf(4 * count, 64) * 64))) {
    std::memset(data, 0, 4 * count);
  }
  Words(const Words&) = delete;
  ~Words() { std::free(data); }
};

/** A matrix in f32 or bf16 whose rows lie apart; what lies between them must stay as it is. */
struct Sheet {
  static constexpr size_t kGap = 3;
  size_t columns;
  bool bf16;
  std::vector<float> wide;
  std::vector<uint16_t> narrow;

  Sheet(size_t rows, size_t columns, bool bf16) : columns(columns), bf16(bf16) {
    for (size_t i = 0; i < rows * (columns + kGap); i++) wide.push_back(toF32(toBf16(drawn())));
    for (float x : wide) narrow.push_back(toBf16(x));
  }
  Place place() { return {bf16 ? static_cast<void*>(narrow.data()) : wide.data(), bf16, columns + kGap}; }
  float at(size_t i) const { return bf16 ? toF32(narrow[i]) : wide[i]; }
};

float valueOf(Values values, size_t i, float other) {
  if (values == Values::drawn) return other;
  return values == Values::largest || (values == Values::alternating && i % 2) ? 1.f : -1.f;
}

/** Rows as plain code rounds them. */
struct Rounded {
  std::vector<std::vector<int>> numbers;
  std::vector<float> scales;
};

/** Has rows rounded into `a` and `scales`; where values are drawn, one in ten is of zeros and one in twenty not finite. */
Rounded roundRows(const IntegerTiles& tiles, const Case& c, IntegerProduct& p, Words& a, std::vector<float>& scales) {
  size_t high = tiles.rows[int(c.kind)];
  int most = formatOf(c.kind).most;
  Rounded rounded;
  for (size_t r = 0; r < c.rows; r++) {
    std::vector<float> x(c.inner);
    size_t luck = c.values == Values::drawn ? below(20) : 19;
    for (size_t i = 0; i < c.inner; i++) x[i] = luck < 2 ? 0 : valueOf(c.values, i, toF32(toBf16(drawn())));
    if (luck == 2) x[below(c.inner)] = below(2) ? NAN : -INFINITY;
    std::vector<uint16_t> narrow;
    for (float number : x) narrow.push_back(toBf16(number));
    int32_t* to = a.data + (r / high * high * p.runs + r % high) * kRun;
    const void* from = c.bf16 ? static_cast<const void*>(narrow.data()) : x.data();
    tiles.quantize(c.kind, from, c.bf16, c.inner, to, high * kRun, scales.data() + r);
    float largest = 0;
    for (float number : x) largest = std::fmax(largest, std::fabs(number));
    bool finite = luck != 2;
    rounded.scales.push_back(finite ? largest / float(most) : NAN);
    std::vector<int> numbers(c.inner);
    if (finite && largest > 0)
      for (size_t i = 0; i < c.inner; i++) numbers[i] = int(std::nearbyint(x[i] * (float(most) / largest)));
    rounded.numbers.push_back(numbers);
  }
  return rounded;
}

/** Whether two results are the same number, or both none. */
bool same(float a, float b) { return std::memcmp(&a, &b, 4) == 0 || (std::isnan(a) && std::isnan(b)); }

bool holds(const Case& c) {
  const IntegerTiles& tiles = integerTiles();
  IntegerFormat format = formatOf(c.kind);
  size_t rowTiles = partsOf(c.rows, tiles.rows[int(c.kind)]), columnTiles = partsOf(c.columns, tiles.columns);
  size_t blocks = partsOf(c.inner, format.perBlock), wide = columnTiles * tiles.columns;
  IntegerProduct p = {};
  p.kind = c.kind, p.rows = c.rows, p.columns = c.columns, p.runs = partsOf(c.inner, format.perWord * kRun);

  Words a(rowTiles * tiles.rows[int(c.kind)] * p.runs * kRun);
  std::vector<float> rowScales(c.rows), columnScales(wide), bias(wide);
  Rounded rows = roundRows(tiles, c, p, a, rowScales);

  Words weights(wide * p.runs * kRun), begin(wide * blocks);
  std::vector<std::vector<int>> columns(c.columns, std::vector<int>(c.inner));
  int most = tiles.mostOfWeight[int(c.kind)];
  for (size_t n = 0; n < c.columns; n++) {
    // Of both signs, which no rounding gives a scale, so that there are zeros of both.
    columnScales[n] = drawn(), bias[n] = drawn();
    size_t tile = n / tiles.columns, column = n % tiles.columns;
    for (size_t i = 0; i < c.inner; i++) {
      int w = int(valueOf(c.values, n % 3 == 2 ? i : n, float(below(size_t(2 * most) + 1)) / float(most) - 1) * float(most));
      columns[n][i] = w;
      size_t word = (tile * p.runs * kRun + i / format.perWord) * tiles.columns + column;
      char* to = reinterpret_cast<char*>(weights.data + word) + i % format.perWord * (4 / format.perWord);
      int16_t narrow = int16_t(w);
      std::memcpy(to, &narrow, 4 / format.perWord);
      begin.data[(tile * blocks + i / format.perBlock) * tiles.columns + column] -= tiles.addedToBytes * w;
    }
  }

  Sheet first(c.rows, c.columns, c.bf16), second(c.rows, c.columns, !c.bf16), y(c.rows, c.columns, c.bf16), before = y;
  p.a = a.data, p.weights = weights.data, p.begin = c.kind == Integers::int8 ? begin.data : nullptr;
  p.rowScales = rowScales.data(), p.columnScales = columnScales.data(), p.bias = c.bias ? bias.data() : nullptr;
  p.added[0] = first.place(), p.added[1] = second.place(), p.addedCount = c.added;
  p.y = y.place();
  tiles.multiply(p, {0, rowTiles}, {0, columnTiles});

  for (size_t r = 0; r < c.rows; r++)
    for (size_t n = 0; n < c.columns + Sheet::kGap; n++) {
      size_t at = r * (c.columns + Sheet::kGap) + n;
      float expected = before.at(at);
      if (n < c.columns) {
        float sum = 0;
        for (size_t from = 0; from < c.inner; from += format.perBlock) {
          int64_t whole = 0;
          for (size_t i = from; i < c.inner && i < from + format.perBlock; i++)
            whole += int64_t(rows.numbers[r][i]) * columns[n][i];
          sum += float(whole);
        }
        expected = sum * (rows.scales[r] * columnScales[n]);
        if (c.bias) expected += bias[n];
        if (c.added > 0) expected += first.at(at);
        if (c.added > 1) expected += second.at(at);
        if (c.bf16) expected = toF32(toBf16(expected));
      }
      if (same(y.at(at), expected)) continue;
      std::printf("%s: int%d, %zu x %zu x %zu, values %d, bias %d, bf16 %d, %zu added: expected %.9g at (%zu, %zu), got %.9g\n",
                  tiles.isa, c.kind == Integers::int8 ? 8 : 16, c.rows, c.inner, c.columns, int(c.values), c.bias, c.bf16,
                  c.added, expected, r, n, y.at(at));
      return false;
    }
  return true;
}

}  // namespace

int main() {
  const IntegerTiles& tiles = integerTiles();
  int count = 0;
  auto check = [&](const Case& c) {
    if (!holds(c)) std::exit(1);
    count++;
  };
  for (Integers kind : {Integers::int8, Integers::int16}) {
    size_t high = tiles.rows[int(kind)], wide = tiles.columns, block = formatOf(kind).perBlock;
    for (size_t rows : {size_t(1), high - 1, high, high + 1})
      for (size_t columns : {size_t(1), wide - 1, wide, wide + 1})
        for (size_t inner : {1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 129})
          check({kind, rows, inner, columns, Values(below(4)), bool(below(2)), bool(below(2)), below(3)});
    for (int i = 0; i < 100; i++)
      check({kind, 1 + below(3 * high), 1 + below(300), 1 + below(4 * wide), Values::drawn, bool(below(2)), bool(below(2)),
             below(3)});
    // More than a block.
    for (Values values : {Values::drawn, Values::largest, Values::smallest, Values::alternating})
      check({kind, 2, block + 232, 3, values, false, false, 0});
  }
  std::printf("%s: %d products\n", tiles.isa, count);
}
