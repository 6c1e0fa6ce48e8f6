#pragma once
#include <vector>

#include "engine.h"

namespace millrace {

/** Rows of bf16 numbers, `stride` apart. */
struct NarrowRows {
  const uint16_t* data;
  size_t size, stride;
};

/**
 * y_i = x_iᵀ·dy, summed over `rows` rows: [x.size, dy.size] in f32, one behind the other. The x have their sizes in common. Only
 * where there are `productTiles`.
 */
void sumOverRows(Call& call, const std::vector<NarrowRows>& x, NarrowRows dy, size_t rows, float* y);

}  // namespace millrace
