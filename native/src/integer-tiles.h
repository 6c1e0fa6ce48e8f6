#pragma once
#include <cstddef>
#include <cstdint>

namespace millrace {

/** The integers that a product of a frozen weight is computed in. */
enum class Integers { int8, int16 };

/**
 * How many neighbours along the summed dimension lie in one 32-bit word, and how many are summed in integers before
 * they are added to a float: what bounds a sum.
 *
 * int16: numbers up to 8191 and weights up to 4095 are added 64 at a time: 64·8191·4095 = 2,146,697,280 < 2³¹.
 *
 * int8: numbers and weights up to 127. Where instructions take bytes without a sign (x86-64), numbers are stored with
 * 128 added, and a sum begins at −128·Σw to take that back: with 32,768 at a time it stays within
 * 32,768·127·(128 + 255) = 1,593,868,288 < 2³¹ all along. Two kernels add pairs of products in 16 bits: AVX2's, which
 * therefore has weights up to 64, 2·255·64 = 32,640 < 2¹⁵, and Arm's without dot products, 2·127·127 = 32,258 < 2¹⁵.
 */
struct IntegerFormat {
  size_t perWord, perBlock;
  int most;
};
static constexpr IntegerFormat formatOf(Integers kind) {
  return kind == Integers::int8 ? IntegerFormat{4, 32768, 127} : IntegerFormat{2, 64, 8191};
}

/**
 * How many words of a row lie side by side: a row of a tile is rounded straight into them, one store each, and a product
 * finds the rows of a tile at constant distances. Rows and a weight's columns are filled up to whole ones, columns with
 * zeros.
 */
constexpr size_t kRun = 16;

/** What is added to a product at most: an adapter's change, and the residual or other maps' gradients. */
constexpr size_t kMostAdded = 2;

/** Where a matrix lies, f32 or bf16; its rows are `stride` numbers apart. */
struct Place {
  void* data;
  bool bf16;
  size_t stride;
};

/**
 * A product of rows and a weight's columns: y = sum·(its row's scale·its column's) (+ bias) (+ what is added). All
 * integers are 64-byte aligned.
 */
struct IntegerProduct {
  Integers kind;
  size_t rows, columns, runs;
  /** [tiles of rows, runs, rows of a tile, kRun] and [tiles of columns, runs, kRun, columns of a tile]. */
  const int32_t *a, *weights;
  /** Where the sums of a block begin, [tiles of columns, blocks, columns of a tile]: −`addedToBytes`·Σw in int8. */
  const int32_t* begin;
  /** `bias` may be null. */
  const float *rowScales, *columnScales, *bias;
  Place added[kMostAdded];
  size_t addedCount;
  Place y;
};

/** From the first to before the last of a product's tiles along a side. */
struct TileRange {
  size_t begin, end;
};

/** Products of integers tile by tile; compiled once per instruction set, as `Loops`. */
struct IntegerTiles {
  const char* isa;
  /** The rows of a tile, in int8 and in int16, and its columns. */
  size_t rows[2], columns;
  /** The largest magnitude of a weight, in int8 and in int16. */
  int mostOfWeight[2];
  /** What is added to a number of int8 as it is stored: 128, or 0 where instructions take bytes with a sign. */
  int addedToBytes;
  /**
   * Rounds a row of n numbers, f32 or bf16, to integers in runs that lie `stride` words apart; what fills the last one up
   * meets no weight. Its scale is what an integer stands for. A row that is not finite gets zeros and a scale that is NaN.
   */
  void (*quantize)(Integers kind, const void* x, bool bf16, size_t n, int32_t* runs, size_t stride, float* scale);
  /** Some tiles of a product, row by row. */
  void (*multiply)(const IntegerProduct& product, TileRange rows, TileRange columns);
};

/** What this processor has; MILLRACE_ONEDNN_ISA names another one. */
const IntegerTiles& integerTiles();

}  // namespace millrace
