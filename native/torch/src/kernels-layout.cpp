#include "call.h"

namespace millrace {
namespace {

Tensor slice(Call& call) {
  Tensor y = call.in("x");
  auto begin = call.wholes("begin"), size = call.wholes("size");
  begin.resize(y.dim(), 0);
  size.resize(y.dim(), -1);
  for (int64_t axis = 0; axis < y.dim(); axis++) {
    TORCH_CHECK(begin[axis] >= 0 && size[axis] >= -1, "expected places from 0 and sizes from 0, or -1 for the rest");
    y = y.narrow(axis, begin[axis], size[axis] < 0 ? y.size(axis) - begin[axis] : size[axis]);
  }
  return y;
}

/** tfjs pads from the first axis on, LibTorch from the last. */
Tensor pad(Call& call) {
  Tensor x = call.in("x");
  auto paddings = call.wholes("paddings");
  TORCH_CHECK(int64_t(paddings.size()) == 2 * x.dim(), "expected two paddings an axis, got ", paddings.size());
  std::vector<int64_t> backwards;
  for (int64_t axis = x.dim() - 1; axis >= 0; axis--)
    for (int64_t side : {0, 1}) {
      TORCH_CHECK(paddings[2 * axis + side] >= 0, "expected paddings from 0, got ", paddings[2 * axis + side]);
      backwards.push_back(paddings[2 * axis + side]);
    }
  return at::constant_pad_nd(x, backwards, call.number("constantValue", 0)).contiguous();
}

Tensors split(Call& call) {
  Tensor x = call.in("x");
  int64_t axis = axisOf(call.whole("axis", 0), x);
  auto sizes = call.wholes("numOrSizeSplits");
  if (!call.isArray("numOrSizeSplits")) {
    int64_t parts = sizes[0];
    TORCH_CHECK(parts > 0 && x.size(axis) % parts == 0, "expected parts that divide ", x.size(axis), ", got ", parts);
    sizes.assign(parts, x.size(axis) / parts);
  }
  int64_t known = 0;
  for (int64_t size : sizes) known += std::max<int64_t>(size, 0);
  for (int64_t& size : sizes)
    if (size == -1) size = x.size(axis) - known;
  return at::split_with_sizes(x, sizes, axis);
}

Tensor oneHot(Call& call) {
  Tensor places = at::arange(call.whole("depth"), call.options(at::kInt));
  auto type = call.type("dtype");
  Tensor on = call.in("indices").unsqueeze(-1).eq(places);
  return at::where(on, call.number("onValue", 1), call.number("offValue", 0)).to(type);
}

Tensor gather(Call& call) {
  Tensor x = call.in("x"), indices = call.in("indices");
  TORCH_CHECK(call.whole("batchDims", 0) == 0, "expected no batch dimensions");
  int64_t axis = axisOf(call.whole("axis", 0), x);
  auto shape = x.sizes().vec();
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin() + axis, indices.sizes().begin(), indices.sizes().end());
  return at::index_select(x, axis, indices.reshape(-1)).reshape(shape);
}

/** The gradient of a gather: rows of x summed by their number; a number that is none of a segment's counts for nothing. */
Tensor segmentSum(Call& call) {
  Tensor x = call.full("x"), ids = call.in("segmentIds").to(at::kLong);
  int64_t count = call.whole("numSegments");
  TORCH_CHECK(count >= 0 && ids.dim() == 1, "expected a vector of segments, got ", written(ids.sizes()));
  auto shape = x.sizes().vec();
  TORCH_CHECK(!shape.empty(), "expected a rank from 1, got a scalar");
  shape[0] = count + 1;
  Tensor none = at::logical_or(ids.lt(0), ids.ge(count));
  return at::zeros(shape, x.options()).index_add_(0, ids.masked_fill(none, count), x).narrow(0, 0, count);
}

const Kernels kernels{
    {"Transpose", [](Call& call) -> Result { return call.in("x").permute(call.wholes("perm")); }},
    {"Slice", [](Call& call) -> Result { return slice(call); }},
    {"PadV2", [](Call& call) -> Result { return pad(call); }},
    {"Concat", [](Call& call) -> Result { return at::cat(call.all(), call.whole("axis")); }},
    {"Pack", [](Call& call) -> Result { return at::stack(call.all(), call.whole("axis")); }},
    {"Unpack", [](Call& call) -> Result { return at::unbind(call.in("value"), call.whole("axis")); }},
    {"SplitV", [](Call& call) -> Result { return split(call); }},
    {"Tile", [](Call& call) -> Result { return call.in("x").repeat(call.wholes("reps")); }},
    {"Reverse", [](Call& call) -> Result { return at::flip(call.in("x"), call.wholes("dims")); }},
    {"Reshape", [](Call& call) -> Result { return call.in("x").reshape(call.wholes("shape")); }},
    {"ExpandDims", [](Call& call) -> Result { return call.in("input").unsqueeze(call.whole("dim")); }},
    {"OneHot", [](Call& call) -> Result { return oneHot(call); }},
    {"GatherV2", [](Call& call) -> Result { return gather(call); }},
    {"UnsortedSegmentSum", [](Call& call) -> Result { return segmentSum(call); }},
};

}  // namespace
}  // namespace millrace
