#pragma once
#include <cstddef>
#include <cstdint>

#include "integer-tiles.h"

namespace millrace {

/** A matrix as a product reads it: one of its two strides is 1. */
struct Factor {
  const void* data;
  bool bf16;
  size_t row, column;
};

/** How many products are summed at most: one for each place of a 3×3 neighbourhood. */
constexpr size_t kMostTerms = 9;

/** y = Σ a·b of all terms (+ bias) (+ y), summed in f32 and rounded once, where y is bf16. */
struct TileProduct {
  struct Term {
    /** [rows, k], bf16. */
    Factor a;
    size_t k;
    /** As `pack` leaves it. */
    const void* b;
  };
  Term terms[kMostTerms];
  size_t termCount, rows, columns;
  const float* bias;
  Place y;
  bool accumulate;
  /** Of each `pitch` rows only the first `kept` are stored, one behind the other. */
  size_t pitch, kept;
};

/** Products of bf16 in the tiles of a matrix unit. */
struct ProductTiles {
  /** How many rows and columns a tile of a result has. */
  size_t side;
  /** Bytes of a right factor in tiles, which are 64-byte aligned. */
  size_t (*bytes)(size_t k, size_t n);
  /** Lays out the columns of tiles of a right factor [k, n], f32 or bf16, rounded to bf16. */
  void (*pack)(const Factor& b, size_t k, size_t n, TileRange columns, void* to);
  /** Bytes of scratch for `multiply` of so many rows of tiles, 64-byte aligned. */
  size_t (*scratch)(const TileProduct& product, TileRange rows);
  /** Some tiles of a product. */
  void (*multiply)(const TileProduct& product, TileRange rows, TileRange columns, void* scratch);
};

/** What this processor has; null where oneDNN's products are the best. MILLRACE_ONEDNN_ISA names another one. */
const ProductTiles* productTiles();

}  // namespace millrace
