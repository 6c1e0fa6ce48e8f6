#include "call.h"

namespace millrace {
namespace {

using Reduce = Tensor (*)(const Tensor& x, at::IntArrayRef axes, bool keep);

/** The axes that are reduced; Max alone calls them by another name, and none given are all. */
std::vector<int64_t> axesOf(Call& call, const Tensor& x) {
  const char* name = call.given("reductionIndices") ? "reductionIndices" : "axis";
  std::vector<int64_t> axes;
  if (call.given(name)) axes = call.wholes(name);
  else
    for (int64_t axis = 0; axis < x.dim(); axis++) axes.push_back(axis);
  for (int64_t& axis : axes) axis = axisOf(axis, x);
  return axes;
}

/** LibTorch takes an empty list of axes for all of them, tfjs for none: an axis of one is added then. */
Kernel reduction(Reduce reduce) {
  return [reduce](Call& call) -> Result {
    Tensor x = call.full("x");
    auto axes = axesOf(call, x);
    if (axes.empty()) return reduce(x.unsqueeze(-1), {x.dim()}, false);
    return reduce(x, axes, call.flag("keepDims"));
  };
}

Tensor sum(const Tensor& x, at::IntArrayRef axes, bool keep) {
  return at::sum(x, axes, keep, x.is_floating_point() ? at::kFloat : at::kInt);
}

Tensor product(const Tensor& x, at::IntArrayRef axes, bool keep) {
  std::vector<int64_t> last(axes.begin(), axes.end());
  std::sort(last.rbegin(), last.rend());
  TORCH_CHECK(std::adjacent_find(last.begin(), last.end()) == last.end(), "expected each axis once");
  Tensor y = x;
  for (int64_t axis : last) y = at::prod(y, axis, keep, x.is_floating_point() ? at::kFloat : at::kInt);
  return y;
}

/** The largest of nothing is −∞, the smallest ∞. */
Tensor extreme(const Tensor& x, at::IntArrayRef axes, bool keep, bool largest) {
  if (x.numel() > 0) return largest ? at::amax(x, axes, keep) : at::amin(x, axes, keep);
  Tensor shape = at::sum(x, axes, keep, at::kFloat);
  return at::full(shape.sizes(), largest ? -INFINITY : INFINITY, shape.options()).to(x.scalar_type());
}

template <bool largest>
Result place(Call& call) {
  Tensor x = counted(call.full("x"));
  auto axes = axesOf(call, x);
  if (axes.size() == 1) return largest ? at::argmax(x, axes[0]) : at::argmin(x, axes[0]);
  TORCH_CHECK(int64_t(axes.size()) == x.dim(), "expected one axis, or all of them");
  return largest ? at::argmax(x) : at::argmin(x);
}

Tensor runningSum(Call& call) {
  Tensor x = counted(call.full("x"));
  int64_t axis = axisOf(call.whole("axis", 0), x);
  bool reverse = call.flag("reverse");
  Tensor given = reverse ? x.flip(axis) : x, y = at::cumsum(given, axis, x.scalar_type());
  if (call.flag("exclusive")) y = y - given;
  return reverse ? y.flip(axis) : y;
}

#define REDUCE(expression) \
  reduction([](const Tensor& x, at::IntArrayRef axes, bool keep) -> Tensor { return expression; })

const Kernels kernels{
    {"Sum", REDUCE(sum(x, axes, keep))},
    {"Mean", REDUCE(at::mean(x, axes, keep, at::kFloat))},
    {"Max", REDUCE(extreme(x, axes, keep, true))},
    {"Min", REDUCE(extreme(x, axes, keep, false))},
    {"Prod", REDUCE(product(x, axes, keep))},
    {"All", REDUCE(at::all(x, at::OptionalIntArrayRef(axes), keep))},
    {"Any", REDUCE(at::any(x, at::OptionalIntArrayRef(axes), keep))},
    {"ArgMax", place<true>},
    {"ArgMin", place<false>},
    {"Cumsum", [](Call& call) -> Result { return runningSum(call); }},
    {"Softmax",
     [](Call& call) -> Result {
       Tensor x = call.full("logits");
       return at::softmax(x, axisOf(call.whole("dim", -1), x));
     }},
    {"LogSoftmax",
     [](Call& call) -> Result {
       Tensor x = call.full("logits");
       return at::log_softmax(x, axisOf(call.whole("axis", -1), x));
     }},
};

}  // namespace
}  // namespace millrace
