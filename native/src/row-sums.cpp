#include "row-sums.h"

#include "parallel.h"
#include "product-tiles.h"

namespace millrace {
namespace {

/** Rows that are multiplied at a time: what is laid out of them in tiles stays in the second-level cache. */
constexpr size_t kRowsAtOnce = 512;

size_t partsOf(size_t n, size_t part) { return (n + part - 1) / part; }

}  // namespace

void sumOverRows(Call& call, const std::vector<NarrowRows>& x, NarrowRows dy, size_t rows, float* y) {
  const ProductTiles& tiles = *productTiles();
  size_t size = x.front().size, down = partsOf(size, tiles.side), across = partsOf(dy.size, tiles.side);
  char* packed = call.temp<char>(tiles.bytes(kRowsAtOnce, dy.size));
  TileProduct p = {};
  p.termCount = 1, p.rows = p.pitch = p.kept = size, p.columns = dy.size;
  for (size_t from = 0; from < rows; from += kRowsAtOnce) {
    size_t count = std::min(kRowsAtOnce, rows - from);
    Factor right = {dy.data + from * dy.stride, true, dy.stride, 1};
    parallelFor(across, 4, [&](size_t b, size_t e) { tiles.pack(right, count, dy.size, {b, e}, packed); });
    p.accumulate = from > 0;
    parallelFor(x.size() * down, 1, [&](size_t b, size_t e) {
      TileProduct own = p;
      Buffer room;
      for (size_t task = b; task < e;) {
        size_t i = task / down, first = task % down, last = std::min(down, first + (e - task));
        own.terms[0] = {{x[i].data + from * x[i].stride, true, 1, x[i].stride}, count, packed};
        own.y = {y + i * size * dy.size, false, dy.size};
        if (!room) room = allocate(tiles.scratch(own, {0, down}));
        tiles.multiply(own, {first, last}, {0, across}, room->data);
        task += last - first;
      }
    });
  }
}

}  // namespace millrace
