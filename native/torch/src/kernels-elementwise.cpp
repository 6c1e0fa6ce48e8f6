#include "call.h"

namespace millrace {
namespace {

using One = Tensor (*)(const Tensor& x, const Call& call);
using Two = Tensor (*)(const Tensor& a, const Tensor& b);

/** Whole numbers stay whole: tfjs casts beforehand where an operation has fractions. */
Kernel one(One map) {
  return [map](Call& call) -> Result {
    Tensor x = call.full("x");
    Tensor y = map(counted(x), call);
    return x.is_floating_point() ? y : cast(y, at::kInt);
  };
}

/** Sums and products of a rounded and an f32 tensor are f32: LibTorch's own promotion of types. */
Kernel two(Two map) {
  return [map](Call& call) -> Result {
    Tensor a = counted(call.in("a")), b = counted(call.in("b"));
    Tensor y = map(a, b);
    return a.is_floating_point() || b.is_floating_point() ? y : cast(y, at::kInt);
  };
}

Kernel compare(Two map) {
  return [map](Call& call) -> Result { return map(call.full("a"), call.full("b")); };
}

/** Whole numbers have no quotient by zero; here it is zero, and ends no process. */
Tensor quotient(const Tensor& a, const Tensor& b, Two divide) {
  if (a.is_floating_point() || b.is_floating_point()) return divide(a, b);
  Tensor zero = b.eq(0);
  return divide(a, b.masked_fill(zero, 1)).masked_fill(zero, 0);
}

/** A vector of conditions chooses whole rows. */
Tensor select(Call& call) {
  Tensor condition = call.in("condition").to(at::kBool), t = call.full("t"), e = call.full("e");
  bool rows = condition.dim() == 1 && t.dim() > 1 && condition.size(0) == t.size(0);
  if (rows) {
    std::vector<int64_t> shape(t.dim(), 1);
    shape[0] = condition.size(0);
    condition = condition.reshape(shape);
  }
  TORCH_CHECK(t.sizes() == e.sizes() && (rows || condition.sizes() == t.sizes()), "expected three of one shape");
  return at::where(condition, t, e);
}

#define ONE(expression) one([](const Tensor& x, const Call& call) -> Tensor { return (void)call, expression; })
#define TWO(expression) two([](const Tensor& a, const Tensor& b) -> Tensor { return expression; })
#define COMPARE(expression) compare([](const Tensor& a, const Tensor& b) -> Tensor { return expression; })

const Kernels kernels{
    {"Neg", ONE(at::neg(x))},
    {"Abs", ONE(at::abs(x))},
    {"Square", ONE(at::square(x))},
    {"Sign", ONE(at::sign(x) + x.ne(x).to(x.scalar_type()) * x)},
    {"Relu", ONE(at::relu(x))},
    {"Relu6", ONE(at::clamp(x, 0, 6))},
    {"Elu", ONE(at::elu(x.to(at::kFloat)))},
    // Of whole numbers, too, these are fractions.
    {"Exp", [](Call& call) -> Result { return at::exp(call.full("x").to(at::kFloat)); }},
    {"LeakyRelu",
     [](Call& call) -> Result { return at::leaky_relu(call.full("x").to(at::kFloat), call.number("alpha", 0.2)); }},
    {"Expm1", ONE(at::expm1(x))},
    {"Log", ONE(at::log(x))},
    {"Log1p", ONE(at::log1p(x))},
    {"Sqrt", ONE(at::sqrt(x))},
    {"Rsqrt", ONE(at::rsqrt(x))},
    {"Erf", ONE(at::erf(x))},
    {"Sigmoid", ONE(at::sigmoid(x))},
    {"Softplus", ONE(at::softplus(x.to(at::kFloat)))},
    {"Tanh", ONE(at::tanh(x))},
    {"Sinh", ONE(at::sinh(x))},
    {"Cosh", ONE(at::cosh(x))},
    {"Tan", ONE(at::tan(x))},
    {"Sin", ONE(at::sin(x))},
    {"Cos", ONE(at::cos(x))},
    {"Atan", ONE(at::atan(x))},
    {"Reciprocal", ONE(at::reciprocal(x))},
    {"Floor", ONE(at::floor(x))},
    {"Ceil", ONE(at::ceil(x))},
    {"Round", ONE(at::round(x))},
    {"Step", ONE(at::where(x.gt(0), 1., at::where(x.ne(x), x, call.number("alpha", 0))).to(x.scalar_type()))},
    {"ClipByValue", ONE(at::clamp(x, call.number("clipValueMin"), call.number("clipValueMax")))},

    {"Add", TWO(at::add(a, b))},
    {"Sub", TWO(at::sub(a, b))},
    {"Multiply", TWO(at::mul(a, b))},
    {"RealDiv", TWO(at::div(a, b))},
    {"Maximum", TWO(at::maximum(a, b))},
    {"Minimum", TWO(at::minimum(a, b))},
    {"Pow", TWO(at::pow(a.to(at::kFloat), b.to(at::kFloat)))},
    // In f32, since f16 ends at 65504.
    {"SquaredDifference", two([](const Tensor& a, const Tensor& b) -> Tensor {
       Tensor apart = at::sub(a, b);
       return at::square(apart.is_floating_point() ? apart.to(at::kFloat) : apart);
     })},
    {"FloorDiv", TWO(quotient(a, b, at::floor_divide))},
    {"Mod", TWO(quotient(a, b, at::remainder))},

    {"Equal", COMPARE(at::eq(a, b))},
    {"NotEqual", COMPARE(at::ne(a, b))},
    {"Less", COMPARE(at::lt(a, b))},
    {"LessEqual", COMPARE(at::le(a, b))},
    {"Greater", COMPARE(at::gt(a, b))},
    {"GreaterEqual", COMPARE(at::ge(a, b))},
    {"LogicalAnd", COMPARE(at::logical_and(a, b))},
    {"LogicalOr", COMPARE(at::logical_or(a, b))},
    {"LogicalNot", [](Call& call) -> Result { return at::logical_not(call.in("x")); }},
    {"IsNan", [](Call& call) -> Result { return at::isnan(call.in("x")); }},
    {"IsFinite", [](Call& call) -> Result { return at::isfinite(call.in("x")); }},
    {"IsInf", [](Call& call) -> Result { return at::isinf(call.in("x")); }},

    {"Select", [](Call& call) -> Result { return select(call); }},
    {"Cast", [](Call& call) -> Result { return cast(call.full("x"), call.type("dtype")); }},
    {"Fill",
     [](Call& call) -> Result {
       return at::full(call.wholes("shape"), call.number("value"), call.options(call.type("dtype")));
     }},
    {"ZerosLike", [](Call& call) -> Result { return at::zeros_like(call.full("x"), at::MemoryFormat::Contiguous); }},
    {"OnesLike", [](Call& call) -> Result { return at::ones_like(call.full("x"), at::MemoryFormat::Contiguous); }},

    {"EluGrad",
     [](Call& call) -> Result {
       Tensor y = call.full("y"), dy = call.full("dy");
       return at::where(y.ge(0), dy, dy * (y + 1));
     }},

    // Exact, and in the precision of the product that it follows.
    {"Gelu", [](Call& call) -> Result { return at::gelu(call.in("x"), "none"); }},
    {"GeluGrad",
     [](Call& call) -> Result {
       Tensor dy = call.in("dy"), x = call.in("x");
       return at::gelu_backward(dy.to(x.scalar_type()), x, "none");
     }},
};

}  // namespace
}  // namespace millrace
