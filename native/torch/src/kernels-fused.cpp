#include "call.h"

#include <cmath>

namespace millrace {
namespace {

Tensors layerNorm(Call& call) {
  Tensor x = call.full("x");
  TORCH_CHECK(x.dim() >= 1, "expected a rank from 1, got a scalar");
  auto [y, average, scale] =
      at::native_layer_norm(x, {x.size(-1)}, call.full("gain"), call.full("bias"), call.number("epsilon"));
  Tensors made{y, average, scale};
  if (call.flag("passes")) made.push_back(call.in("x"));
  return made;
}

Tensor layerNormGradient(Call& call) {
  Tensor dy = call.full("dy"), x = call.full("x"), gain = call.full("gain");
  Tensor average = call.full("average"), scale = call.full("scale");
  TORCH_CHECK(x.dim() >= 1 && dy.sizes() == x.sizes() && gain.sizes() == at::IntArrayRef{x.size(-1)},
              "expected dy like x, and a gain a column");
  auto each = resized(x, 1);
  TORCH_CHECK(average.sizes() == each && scale.sizes() == each, "expected an average and a scale a row");
  Tensor dx = std::get<0>(at::native_layer_norm_backward(dy, x, {x.size(-1)}, average, scale, gain, Tensor(),
                                                         {true, false, false}));
  return call.has("passed") ? dx.add_(call.full("passed")) : dx;
}

constexpr int kIgnored = 255;

/**
 * Classes × pixels: logits, which class is the target, and which pixels count. Each class is in one piece: LibTorch takes
 * six times as long for a softmax over a few numbers that lie side by side.
 */
struct Pixels {
  Tensor logits, target, valid;

  explicit Pixels(Call& call) {
    Tensor x = call.full("logits"), masks = call.in("masks");
    TORCH_CHECK(x.dim() >= 1 && masks.sizes() == x.sizes().slice(0, x.dim() - 1), "expected a mask a pixel, got ",
                written(masks.sizes()));
    Tensor byClass = x.movedim(-1, 0);
    shape = byClass.sizes().vec();
    logits = byClass.reshape({x.size(-1), masks.numel()}).contiguous();
    Tensor ids = masks.reshape({1, -1});
    valid = ids.ne(kIgnored);
    target = at::logical_and(ids.eq(at::arange(x.size(-1), ids.options()).unsqueeze(1)), valid);
  }

  Tensor probabilities() const { return at::softmax(logits, 0).mul_(valid.to(at::kFloat)); }
  /** How many pixels count, or 1. */
  Tensor count() const { return valid.sum().clamp_min(1).to(at::kFloat); }
  /** Numbers by class and pixel in the shape of the logits. */
  Tensor shaped(const Tensor& x) const { return x.reshape(shape).movedim(0, -1); }

 private:
  std::vector<int64_t> shape;
};

Tensor overlap(Call& call) {
  Pixels pixels(call);
  Tensor p = pixels.probabilities(), t = pixels.target.to(at::kFloat);
  return at::stack({(p * t).sum(1), p.sum(1), t.sum(1)});
}

Tensor overlapGradient(Call& call) {
  Pixels pixels(call);
  Tensor p = pixels.probabilities(), dy = call.full("dy");
  TORCH_CHECK(dy.dim() == 2 && dy.size(0) == 3, "expected a gradient of three rows");
  Tensor by = dy.unsqueeze(-1);
  Tensor gp = pixels.target.to(at::kFloat).mul_(by[0]).add_(by[1]).mul_(p);
  Tensor all = gp.sum(0, true);
  return pixels.shaped(gp.sub_(p.mul_(all)));
}

/** Chosen and not multiplied: what is not the target may have the probability 0. */
Tensor crossEntropy(Call& call) {
  Pixels pixels(call);
  Tensor logP = at::log_softmax(pixels.logits, 0);
  return logP.masked_fill_(pixels.target.logical_not(), 0).sum().neg() / pixels.count();
}

Tensor crossEntropyGradient(Call& call) {
  Pixels pixels(call);
  Tensor apart = pixels.probabilities().sub_(pixels.target.to(at::kFloat));
  return pixels.shaped(apart.mul_(call.full("dy") / pixels.count()));
}

/** Never rounded: sums over a picture leave f16. */
struct Regions {
  Tensor x, weights;

  explicit Regions(Call& call) : x(call.full("x")), weights(call.full("regions")) {
    TORCH_CHECK(x.dim() == 3 && weights.dim() == 3 && x.size(0) == weights.size(0) && x.size(1) == weights.size(1),
                "expected maps and regions of the same places, got ", written(x.sizes()), " and ",
                written(weights.sizes()));
  }
};

Tensor regionSums(Call& call) {
  Regions regions(call);
  Tensor maps = regions.x.transpose(1, 2);
  return at::matmul(at::stack({at::softplus(maps), maps, at::sigmoid(maps)}), regions.weights);
}

Tensor regionSumsGradient(Call& call) {
  Regions regions(call);
  Tensor dy = call.full("dy"), p = at::sigmoid(regions.x);
  TORCH_CHECK(dy.dim() == 4 && dy.size(0) == 3, "expected a gradient of three sums");
  Tensor by = at::matmul(regions.weights, dy.transpose(2, 3));
  TORCH_CHECK(by[0].sizes() == p.sizes(), "expected a gradient a map");
  return by[2].mul_(1 - p).add_(by[0]).mul_(p).add_(by[1]);
}

Tensor images(const Tensor& x) {
  TORCH_CHECK(x.dim() == 4, "expected [batch, height, width, channels], got ", written(x.sizes()));
  return x.permute({0, 3, 1, 2});
}

Tensor upsample(Call& call) {
  Tensor x = images(call.full("x"));
  int64_t factor = call.whole("factor");
  TORCH_CHECK(factor >= 1 && factor <= 1 << 20, "expected a factor from 1, got ", factor);
  return at::upsample_bilinear2d(x, at::IntArrayRef{x.size(2) * factor, x.size(3) * factor}, false)
      .permute({0, 2, 3, 1});
}

Tensor upsampleGradient(Call& call) {
  Tensor dy = images(call.full("dy"));
  int64_t factor = call.whole("factor"), tall = dy.size(2), wide = dy.size(3);
  TORCH_CHECK(factor >= 1 && tall % factor == 0 && wide % factor == 0, "expected a factor that divides the size");
  return at::upsample_bilinear2d_backward(dy, {tall, wide}, {dy.size(0), dy.size(1), tall / factor, wide / factor},
                                          false)
      .permute({0, 2, 3, 1});
}

/** The 3 × 3 neighbourhoods of all pixels: [batch, height, width, 9·channels]. */
Tensor patches(const Tensor& x) {
  images(x);
  int64_t batch = x.size(0), height = x.size(1), width = x.size(2), channels = x.size(3);
  Tensor padded = at::constant_pad_nd(x, {0, 0, 1, 1, 1, 1}).contiguous();
  auto by = padded.strides();
  return padded.as_strided({batch, height, width, 3, 3, channels}, {by[0], by[1], by[2], by[1], by[2], by[3]})
      .reshape({batch, height, width, 9 * channels});
}

Tensor patchesGradient(Call& call) {
  Tensor dy = call.full("dy");
  images(dy);
  int64_t batch = dy.size(0), height = dy.size(1), width = dy.size(2), channels = dy.size(3) / 9;
  TORCH_CHECK(dy.size(3) == 9 * channels, "expected nine times the channels, got ", dy.size(3));
  Tensor padded = at::zeros({batch, height + 2, width + 2, channels}, dy.options());
  for (int64_t i = 0; i < 9; i++)
    padded.narrow(1, i / 3, height).narrow(2, i % 3, width).add_(dy.narrow(3, i * channels, channels));
  return padded.narrow(1, 1, height).narrow(2, 1, width).contiguous();
}

/**
 * Rows of the weight are (row, column, channel), columns its outputs. On the processor one product over the neighbourhoods
 * takes 0.6 of the time of the convolution, which turns this weight into its own layout.
 */
Tensor conv3x3(Call& call) {
  Tensor x = images(call.factor("x")), weight = call.weight("weight");
  TORCH_CHECK(weight.dim() == 2 && weight.size(0) == 9 * x.size(1), "expected a weight of nine times the channels");
  if (x.is_cpu()) {
    Tensor near = patches(call.factor("x"));
    return at::addmm(call.factor("bias"), rows(near), weight).reshape(resized(near, weight.size(1)));
  }
  Tensor kernel = weight.reshape({3, 3, x.size(1), weight.size(1)}).permute({3, 2, 0, 1});
  return at::convolution(x, kernel, call.factor("bias"), {1, 1}, {1, 1}, {1, 1}, false, {0, 0}, 1)
      .permute({0, 2, 3, 1});
}

Tensors adamUpdate(Call& call) {
  Tensor gradient = call.full("gradient");
  double beta1 = call.number("beta1"), beta2 = call.number("beta2"), step = call.number("step");
  Tensor mean = call.full("m").mul(beta1).add_(gradient, 1 - beta1);
  Tensor square = call.full("v").mul(beta2).addcmul_(gradient, gradient, 1 - beta2);
  double root = 1 / std::sqrt(1 - std::pow(beta2, step));
  Tensor size = square.sqrt().mul_(root).add_(call.number("epsilon"));
  return {mean.mul(1 / (1 - std::pow(beta1, step))).div_(size), mean, square};
}

const Kernels kernels{
    {"LayerNorm", [](Call& call) -> Result { return layerNorm(call); }},
    {"LayerNormGrad", [](Call& call) -> Result { return layerNormGradient(call); }},
    {"Overlap", [](Call& call) -> Result { return overlap(call); }},
    {"OverlapGrad", [](Call& call) -> Result { return overlapGradient(call); }},
    {"CrossEntropy", [](Call& call) -> Result { return crossEntropy(call); }},
    {"CrossEntropyGrad", [](Call& call) -> Result { return crossEntropyGradient(call); }},
    {"RegionSums", [](Call& call) -> Result { return regionSums(call); }},
    {"RegionSumsGrad", [](Call& call) -> Result { return regionSumsGradient(call); }},
    {"Upsample", [](Call& call) -> Result { return upsample(call); }},
    {"UpsampleGrad", [](Call& call) -> Result { return upsampleGradient(call); }},
    {"Patches", [](Call& call) -> Result { return patches(call.in("x")); }},
    {"PatchesGrad", [](Call& call) -> Result { return patchesGradient(call); }},
    {"Conv3x3", [](Call& call) -> Result { return conv3x3(call); }},
    {"AdamUpdate", [](Call& call) -> Result { return adamUpdate(call); }},
};

}  // namespace
}  // namespace millrace
