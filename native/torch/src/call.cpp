#include "call.h"

#include <cmath>

namespace millrace {

size_t Call::place(const char* name) const {
  return std::find(names.begin(), names.end(), name) - names.begin();
}

int64_t Call::id(const char* name) const {
  size_t found = place(name);
  TORCH_CHECK(found < ids.size(), "expected an input ", name, ", got none");
  return ids[found];
}

Tensor Call::full(const char* name) const {
  Tensor x = in(name);
  return x.is_floating_point() ? x.to(at::kFloat) : x;
}

Tensors Call::all() const {
  Tensors tensors;
  for (int64_t id : ids) tensors.push_back(table.tensor(id));
  return tensors;
}

bool Call::given(const char* name) const {
  Napi::Value value = attrs.Get(name);
  return !value.IsUndefined() && !value.IsNull();
}

double Call::number(const char* name) const {
  Napi::Value value = attrs.Get(name);
  TORCH_CHECK(value.IsNumber() || value.IsBoolean(), "expected a number ", name);
  return value.IsBoolean() ? double(value.ToBoolean()) : value.As<Napi::Number>().DoubleValue();
}

int64_t wholeOf(Napi::Value value) {
  TORCH_CHECK(value.IsNumber(), "expected a whole number");
  double x = value.As<Napi::Number>().DoubleValue();
  TORCH_CHECK(x == std::floor(x) && std::fabs(x) <= double(int64_t(1) << 53), "expected a whole number, got ", x);
  return int64_t(x);
}

int64_t Call::whole(const char* name) const { return wholeOf(attrs.Get(name)); }

bool Call::flag(const char* name) const { return attrs.Get(name).ToBoolean(); }

std::string Call::text(const char* name) const {
  Napi::Value value = attrs.Get(name);
  TORCH_CHECK(value.IsString(), "expected a text ", name);
  return value.As<Napi::String>();
}

namespace {
void join(Napi::Value value, std::vector<int64_t>& numbers) {
  if (!value.IsArray()) return numbers.push_back(wholeOf(value));
  auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); i++) join(array.Get(i), numbers);
}
}  // namespace

std::vector<int64_t> Call::wholes(const char* name) const {
  std::vector<int64_t> numbers;
  join(attrs.Get(name), numbers);
  return numbers;
}

Napi::Array Call::array(const char* name) const {
  Napi::Value value = attrs.Get(name);
  TORCH_CHECK(value.IsArray(), "expected an array ", name);
  return value.As<Napi::Array>();
}

at::ScalarType Call::type(const char* name) const {
  std::string type = given(name) ? text(name) : "float32";
  if (type == "int32") return at::kInt;
  if (type == "bool") return at::kBool;
  TORCH_CHECK(type == "float32", "expected float32, int32 or bool, got ", type);
  return at::kFloat;
}

std::string Call::shapes() const {
  std::string text;
  for (int64_t id : ids) text += (text.empty() ? "" : ", ") + written(table.at(id).tensor.sizes());
  return text;
}

Registry& Registry::get() {
  static Registry registry;
  return registry;
}

Kernels::Kernels(std::initializer_list<std::pair<const char*, Kernel>> table) {
  for (const auto& [name, kernel] : table) {
    Registry::get().names.push_back(name);
    Registry::get().kernels.push_back(kernel);
  }
}

int64_t axisOf(int64_t axis, const Tensor& x) {
  TORCH_CHECK(axis >= -x.dim() && axis < x.dim(), "expected an axis of ", written(x.sizes()), ", got ", axis);
  return axis < 0 ? axis + x.dim() : axis;
}

Tensor counted(const Tensor& x) { return x.scalar_type() == at::kBool ? x.to(at::kInt) : x; }

Tensor cast(const Tensor& x, at::ScalarType type) {
  if (type == at::kBool) return x.ne(0);
  if (type == at::kInt && x.is_floating_point()) return x.masked_fill(x.isfinite().logical_not(), 0).to(type);
  return x.to(type);
}

Tensor rows(const Tensor& x) {
  TORCH_CHECK(x.dim() >= 1, "expected a rank from 1, got a scalar");
  return x.dim() == 1 ? x.unsqueeze(0) : x.flatten(0, -2);
}

std::vector<int64_t> resized(const Tensor& x, int64_t last) {
  auto shape = x.sizes().vec();
  shape.back() = last;
  return shape;
}

}  // namespace millrace
