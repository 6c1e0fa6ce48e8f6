#pragma once
#include "gemm.h"
#include "integer-tiles.h"

namespace millrace {

/** Rows of numbers rounded to integers, each with a scale of its own; in the order in which tiles read them. */
struct IntegerRows {
  Integers kind;
  size_t rows, width, runs;
  /** [tiles of rows, runs, rows of a tile, kRun]. */
  Buffer numbers;
  /** [rows]. */
  Buffer scales;

  IntegerRows(Integers kind, size_t rows, size_t width);
  /** Fills a row with numbers, f32 or bf16. */
  void set(size_t row, const void* x, bool bf16);
};

/** A matrix whose rows are summed over, f32 or bf16, in integers. */
IntegerRows integerRows(Integers kind, const Matrix& matrix, size_t rows, size_t width);

/**
 * A product whose b is a frozen weight, in integers: rows and the weight's columns are rounded, each with a scale of its
 * own, and products are summed in integers by blocks, these in f32.
 */
void integerGemm(Call& call, const Gemm& g, const IntegerRows& rows);

}  // namespace millrace
