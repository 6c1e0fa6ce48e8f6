#include <c10/core/InferenceMode.h>

#include <cstring>

#include "call.h"

namespace millrace {
namespace {

struct Instance {
  Table table;
};

Table& tableOf(const Napi::CallbackInfo& info) { return info.Env().GetInstanceData<Instance>()->table; }

/** Runs what may throw in LibTorch; its errors become JavaScript's, in one line. */
template <typename Work>
auto guarded(Napi::Env env, Work work, const std::function<std::string()>& where = {}) {
  std::string said;
  bool memory = false;
  try {
    c10::InferenceMode inference;
    return work();
  } catch (const Napi::Error&) {
    throw;
  } catch (const c10::Error& error) {
    said = error.what_without_backtrace();
    memory = dynamic_cast<const c10::OutOfMemoryError*>(&error) || said.find("allocate memory") != std::string::npos;
  } catch (const std::bad_alloc& error) {
    said = error.what();
    memory = true;
  } catch (const std::exception& error) {
    said = error.what();
  }
  said = said.substr(0, said.find("\nException raised from"));
  if (memory) {
    Table& table = env.GetInstanceData<Instance>()->table;
    said = "out of memory: " + std::to_string(table.size()) + " tensors hold " + std::to_string(table.bytes() >> 20) +
           " MiB (" + said + ")";
  }
  std::string prefix;
  try {
    prefix = where ? where() + ": " : "";
  } catch (const std::exception&) {
    // The inputs are what is at fault.
  }
  throw Napi::Error::New(env, "torch: " + prefix + said);
}

const char* nameOf(at::ScalarType type) {
  return type == at::kInt ? "int32" : type == at::kBool ? "bool" : "float32";
}

/** A result as it is held: JavaScript has 32-bit numbers only. */
Tensor held(const Tensor& tensor) {
  if (tensor.scalar_type() == at::kLong) return tensor.to(at::kInt);
  if (tensor.scalar_type() == at::kDouble) return tensor.to(at::kFloat);
  return tensor;
}

/** {id, shape, dtype}. */
Napi::Object described(Napi::Env env, int64_t id, const Tensor& tensor) {
  auto result = Napi::Object::New(env);
  auto shape = Napi::Array::New(env, tensor.dim());
  for (int64_t i = 0; i < tensor.dim(); i++) shape.Set(uint32_t(i), Napi::Number::New(env, double(tensor.size(i))));
  result.Set("id", Napi::Number::New(env, double(id)));
  result.Set("shape", shape);
  result.Set("dtype", nameOf(tensor.scalar_type()));
  return result;
}

/** start(device, precision, threads): tensors stay where the device does. */
Napi::Value start(const Napi::CallbackInfo& info) {
  Table& table = tableOf(info);
  std::string device = info[0].ToString(), precision = info[1].ToString();
  int32_t threads = info[2].ToNumber();
  return guarded(info.Env(), [&]() -> Napi::Value {
    at::Device asked(device);
    at::empty({1}, at::TensorOptions(asked));
    at::ScalarType rounded = precision == "bf16" ? at::kBFloat16 : precision == "f16" ? at::kHalf : at::kFloat;
    TORCH_CHECK(rounded != at::kFloat || precision == "f32" || precision == "tf32", "unknown precision ", precision);
    if (rounded != table.precision) table.forgetRounded();
    table.device = asked;
    table.precision = rounded;
    at::globalContext().setFloat32MatmulPrecision(precision == "tf32" ? "high" : "highest");
    at::set_num_threads(threads);
    return info.Env().Undefined();
  });
}

/** run(kernel, names of inputs, their numbers, attributes): what each result is, or a list of that. */
Napi::Value run(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto& registry = Registry::get();
  auto namesGiven = info[1].As<Napi::Array>(), idsGiven = info[2].As<Napi::Array>();
  size_t kernel = info[0].ToNumber().Uint32Value();
  if (kernel >= registry.kernels.size() || !info[1].IsArray() || !info[2].IsArray() || !info[3].IsObject() ||
      namesGiven.Length() != idsGiven.Length())
    throw Napi::TypeError::New(env, "expected a kernel, names and numbers of its inputs, and attributes");
  std::vector<std::string> names;
  std::vector<int64_t> ids;
  for (uint32_t i = 0; i < idsGiven.Length(); i++) {
    names.push_back(namesGiven.Get(i).ToString());
    ids.push_back(guarded(env, [&] { return wholeOf(idsGiven.Get(i)); }));
  }
  Call call(tableOf(info), std::move(names), std::move(ids), info[3].As<Napi::Object>());
  auto where = [&] { return registry.names[kernel] + "(" + call.shapes() + ")"; };
  Result result = guarded(env, [&] { return registry.kernels[kernel](call); }, where);
  auto add = [&](const Tensor& tensor, bool last) {
    Slot slot;
    slot.tensor = guarded(env, [&] { return held(tensor); }, where);
    if (last) slot.beside = std::move(result.beside);
    Tensor kept = slot.tensor;
    return described(env, call.table.add(std::move(slot)), kept);
  };
  size_t count = result.tensors.size();
  if (!result.list) return add(result.tensors[0], true);
  auto list = Napi::Array::New(env, count);
  for (size_t i = 0; i < count; i++) list.Set(uint32_t(i), add(result.tensors[i], i + 1 == count));
  return list;
}

/** write(numbers, shape): Float32Array, Int32Array, or Uint8Array for what is true or false. */
Napi::Value write(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!info[0].IsTypedArray() || !info[1].IsArray())
    throw Napi::TypeError::New(env, "expected a Float32Array, Int32Array or Uint8Array, and a shape");
  auto array = info[0].As<Napi::TypedArray>();
  auto kind = array.TypedArrayType();
  if (kind != napi_float32_array && kind != napi_int32_array && kind != napi_uint8_array)
    throw Napi::TypeError::New(env, "expected a Float32Array, Int32Array or Uint8Array");
  auto type = kind == napi_float32_array ? at::kFloat : kind == napi_int32_array ? at::kInt : at::kByte;
  Table& table = tableOf(info);
  return guarded(env, [&]() -> Napi::Value {
    std::vector<int64_t> shape;
    int64_t count = 1;
    auto given = info[1].As<Napi::Array>();
    for (uint32_t i = 0; i < given.Length(); i++) {
      shape.push_back(wholeOf(given.Get(i)));
      TORCH_CHECK(shape.back() >= 0 && !__builtin_mul_overflow(count, shape.back(), &count), "expected sizes from 0");
    }
    TORCH_CHECK(size_t(count) == array.ElementLength(), "expected ", count, " numbers for ", written(shape), ", got ",
                array.ElementLength());
    Slot slot;
    slot.tensor = at::empty(shape, at::TensorOptions(type));
    if (count) std::memcpy(slot.tensor.data_ptr(), static_cast<char*>(array.ArrayBuffer().Data()) + array.ByteOffset(), array.ByteLength());
    if (type == at::kByte) slot.tensor = slot.tensor.to(at::kBool);
    slot.tensor = slot.tensor.to(table.device);
    slot.written = true;
    return Napi::Number::New(env, double(table.add(std::move(slot))));
  });
}

Napi::Value release(const Napi::CallbackInfo& info) {
  tableOf(info).free(guarded(info.Env(), [&] { return wholeOf(info[0]); }));
  return info.Env().Undefined();
}

/** On the processor, in one piece and a type that JavaScript has. Waits for what the device still computes. */
Tensor readable(const Tensor& tensor) {
  Tensor full = tensor.is_floating_point() ? tensor.to(at::kFloat) : tensor;
  return full.to(at::kCPU).contiguous();
}

Napi::Value toArray(Napi::Env env, const Tensor& tensor) {
  auto memory = Napi::ArrayBuffer::New(env, tensor.nbytes());
  if (tensor.nbytes()) std::memcpy(memory.Data(), tensor.const_data_ptr(), tensor.nbytes());
  size_t count = tensor.numel();
  if (tensor.scalar_type() == at::kInt) return Napi::Int32Array::New(env, count, memory, 0);
  if (tensor.scalar_type() == at::kBool) return Napi::Uint8Array::New(env, count, memory, 0);
  return Napi::Float32Array::New(env, count, memory, 0);
}

Napi::Value readSync(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return toArray(info.Env(), readable(tableOf(info).at(wholeOf(info[0])).tensor)); });
}

/** Waits for a device on a thread of Node's pool, so that the event loop goes on. */
class Reading : public Napi::AsyncWorker {
 public:
  Reading(Napi::Env env, Tensor tensor) : AsyncWorker(env), promise(env), tensor(std::move(tensor)) {}
  Napi::Promise::Deferred promise;

  void Execute() override {
    c10::InferenceMode inference;
    tensor = readable(tensor);
  }
  void OnOK() override { promise.Resolve(toArray(Env(), tensor)); }
  void OnError(const Napi::Error& error) override { promise.Reject(error.Value()); }

 private:
  Tensor tensor;
};

/** read(id): a promise of the numbers. */
Napi::Value read(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Tensor tensor = tableOf(info).at(wholeOf(info[0])).tensor;
    // Nothing is waited for on the processor, whose threads belong to this one.
    auto* reading = new Reading(info.Env(), tensor.is_cpu() ? readable(tensor) : tensor);
    reading->Queue();
    return reading->promise.Promise();
  });
}

Napi::Value memory(const Napi::CallbackInfo& info) {
  auto result = Napi::Object::New(info.Env());
  result.Set("tensors", Napi::Number::New(info.Env(), double(tableOf(info).size())));
  result.Set("bytesInUse", Napi::Number::New(info.Env(), double(tableOf(info).bytes())));
  return result;
}

/** The accelerators that this LibTorch finds, each by the name that `start` takes, the best first; the processor last. */
Napi::Value devices(const Napi::CallbackInfo& info) {
  auto list = Napi::Array::New(info.Env());
  auto push = [&](const std::string& name) { list.Set(list.Length(), Napi::String::New(info.Env(), name)); };
  auto accelerator = at::getAccelerator(false);
  int count = accelerator ? at::accelerator::deviceCount() : 0;
  for (int i = 0; i < count; i++)
    push(at::DeviceTypeName(*accelerator, true) + (*accelerator == at::kMPS ? "" : ":" + std::to_string(i)));
  push("cpu");
  return list;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Instance);
  auto kernels = Napi::Array::New(env);
  for (const auto& name : Registry::get().names) kernels.Set(kernels.Length(), Napi::String::New(env, name));
  exports.Set("kernels", kernels);
  exports.Set("version", MILLRACE_TORCH_VERSION);
  exports.Set("devices", Napi::Function::New(env, devices));
  exports.Set("start", Napi::Function::New(env, start));
  exports.Set("run", Napi::Function::New(env, run));
  exports.Set("write", Napi::Function::New(env, write));
  exports.Set("free", Napi::Function::New(env, release));
  exports.Set("read", Napi::Function::New(env, read));
  exports.Set("readSync", Napi::Function::New(env, readSync));
  exports.Set("memory", Napi::Function::New(env, memory));
  return exports;
}

}  // namespace
}  // namespace millrace

static Napi::Object initTorch(Napi::Env env, Napi::Object exports) { return millrace::init(env, exports); }
NODE_API_MODULE(torch, initTorch)
