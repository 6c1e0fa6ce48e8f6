#include <napi.h>

#include <cstring>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "engine.h"
#include "gemm.h"
#include "loops.h"

namespace millrace {
namespace {

/** Larger results are lent to JavaScript instead of copied. */
constexpr size_t kLend = 64 << 10;

struct Instance {
  std::unique_ptr<Engine> engine;
  Napi::ThreadSafeFunction toJavaScript;
  int reading = 0;
};

Engine& engineOf(const Napi::CallbackInfo& info) {
  auto* instance = info.Env().GetInstanceData<Instance>();
  if (!instance->engine) throw Napi::Error::New(info.Env(), "the engine is not started");
  return *instance->engine;
}

Napi::Value view(Napi::Env env, Type type, Napi::ArrayBuffer memory, size_t count) {
  switch (type) {
    case Type::i32: return Napi::Int32Array::New(env, count, memory, 0);
    case Type::u8: return Napi::Uint8Array::New(env, count, memory, 0);
    default: return Napi::Float32Array::New(env, count, memory, 0);
  }
}

Napi::Value toArray(Napi::Env env, Type type, size_t count, Buffer buffer) {
  size_t bytes = count * sizeOf(type);
#ifndef NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED
  // Two array buffers on the same memory are not allowed: what somebody has borrowed already is copied.
  if (bytes >= kLend && buffer.use_count() <= 2) {
    auto* lent = new Buffer(buffer);
    return view(env, type, Napi::ArrayBuffer::New(env, buffer->data, bytes, [lent](Napi::Env, void*) { delete lent; }),
                count);
  }
#endif
  auto memory = Napi::ArrayBuffer::New(env, bytes);
  if (bytes) std::memcpy(memory.Data(), buffer->data, bytes);
  return view(env, type, memory, count);
}

Napi::Value start(const Napi::CallbackInfo& info) {
  auto* instance = info.Env().GetInstanceData<Instance>();
  if (instance->engine) instance->engine->drain();
  instance->engine = std::make_unique<Engine>(info[0].As<Napi::Number>().Int32Value(), info[1].ToBoolean());
  return info.Env().Undefined();
}

template <typename T>
std::vector<T> numbers(Napi::Value value) {
  auto array = value.As<Napi::Array>();
  uint32_t n = array.Length();
  std::vector<T> result(n);
  for (uint32_t i = 0; i < n; i++) {
    double x;
    napi_value item;
    napi_get_element(array.Env(), array, i, &item);
    napi_get_value_double(array.Env(), item, &x);
    result[i] = T(x);
  }
  return result;
}

/** run(kernel, outs, ins, ints, floats) */
Napi::Value run(const Napi::CallbackInfo& info) {
  Call call;
  call.outs = numbers<int32_t>(info[1]);
  call.ins = numbers<int32_t>(info[2]);
  call.ints = numbers<int64_t>(info[3]);
  call.floats = numbers<double>(info[4]);
  engineOf(info).enqueue(info[0].As<Napi::Number>().Int32Value(), std::move(call));
  return info.Env().Undefined();
}

/** write(id, numbers): Float32Array, Int32Array or Uint8Array. */
Napi::Value write(const Napi::CallbackInfo& info) {
  auto array = info[1].As<Napi::TypedArray>();
  Slot slot;
  switch (array.TypedArrayType()) {
    case napi_float32_array: slot.type = Type::f32; break;
    case napi_int32_array: slot.type = Type::i32; break;
    case napi_uint8_array: slot.type = Type::u8; break;
    default: throw Napi::TypeError::New(info.Env(), "expected a Float32Array, Int32Array or Uint8Array");
  }
  slot.count = array.ElementLength();
  slot.written = true;
  try {
    slot.buffer = allocate(array.ByteLength());
  } catch (const std::bad_alloc&) {
    throw Napi::Error::New(info.Env(), "out of memory");
  }
  if (array.ByteLength())
    std::memcpy(slot.buffer->data, static_cast<char*>(array.ArrayBuffer().Data()) + array.ByteOffset(),
                array.ByteLength());
  engineOf(info).write(info[0].As<Napi::Number>().Int32Value(), std::move(slot));
  return info.Env().Undefined();
}

Napi::Value release(const Napi::CallbackInfo& info) {
  engineOf(info).free(info[0].As<Napi::Number>().Int32Value());
  return info.Env().Undefined();
}

Napi::Value readSync(const Napi::CallbackInfo& info) {
  Engine& engine = engineOf(info);
  engine.drain();
  std::string error = engine.takeError();
  if (!error.empty()) throw Napi::Error::New(info.Env(), error);
  try {
    Slot& slot = engine.readable(info[0].As<Napi::Number>().Int32Value());
    return toArray(info.Env(), slot.type, slot.count, slot.buffer);
  } catch (const std::exception& failed) {
    throw Napi::Error::New(info.Env(), failed.what());
  }
}

struct Reading {
  Napi::Promise::Deferred deferred;
  std::string error;
  Type type = Type::f32;
  size_t count = 0;
  Buffer buffer;
};

/** read(id): a promise of the numbers, kept when the engine comes to it. */
Napi::Value read(const Napi::CallbackInfo& info) {
  auto* instance = info.Env().GetInstanceData<Instance>();
  Engine& engine = engineOf(info);
  auto* reading = new Reading{Napi::Promise::Deferred::New(info.Env()), {}, Type::f32, 0, nullptr};
  auto promise = reading->deferred.Promise();
  int32_t id = info[0].As<Napi::Number>().Int32Value();
  if (instance->reading++ == 0) instance->toJavaScript.Ref(info.Env());
  engine.enqueue([instance, &engine, reading, id] {
    reading->error = engine.takeError();
    if (reading->error.empty()) {
      try {
        Slot& slot = engine.readable(id);
        reading->type = slot.type;
        reading->count = slot.count;
        reading->buffer = slot.buffer;
      } catch (const std::exception& failed) {
        reading->error = failed.what();
      }
    }
    auto deliver = [instance](Napi::Env env, Napi::Function, Reading* done) {
      if (--instance->reading == 0) instance->toJavaScript.Unref(env);
      if (done->error.empty())
        done->deferred.Resolve(toArray(env, done->type, done->count, std::move(done->buffer)));
      else
        done->deferred.Reject(Napi::Error::New(env, done->error).Value());
      delete done;
    };
    if (instance->toJavaScript.BlockingCall(reading, deliver) != napi_ok) delete reading;
  });
  return promise;
}

Napi::Value memory(const Napi::CallbackInfo& info) {
  auto use = poolUse();
  auto result = Napi::Object::New(info.Env());
  result["bytesInUse"] = double(use.inUse);
  result["bytesReserved"] = double(use.reserved);
  result["tensors"] = double(engineOf(info).slotCount());
  return result;
}

Napi::Value drain(const Napi::CallbackInfo& info) {
  engineOf(info).drain();
  return info.Env().Undefined();
}

Napi::Value trim(const Napi::CallbackInfo& info) {
  engineOf(info).drain();
  trimPool();
  return info.Env().Undefined();
}

/** profile(on): what was measured so far by kernel, and measuring goes on or off from here. */
Napi::Value profile(const Napi::CallbackInfo& info) {
  Engine& engine = engineOf(info);
  engine.drain();
  auto result = Napi::Object::New(info.Env());
  auto& registry = Registry::get();
  for (size_t i = 0; i < engine.profile.size(); i++) {
    auto& entry = engine.profile[i];
    if (entry.calls == 0) continue;
    auto item = Napi::Object::New(info.Env());
    item["calls"] = double(entry.calls);
    item["ms"] = double(entry.nanoseconds) / 1e6;
    item["processorMs"] = double(entry.processorNanoseconds) / 1e6;
    result[registry.names[i]] = item;
    entry = ProfileEntry();
  }
  engine.profiling = info[0].ToBoolean();
  return result;
}

Napi::Value about(const Napi::CallbackInfo& info) {
  auto result = Napi::Object::New(info.Env());
  result["library"] = gemmLibrary();
  result["isa"] = loopsIsa();
  result["fastBf16"] = hasFastBf16();
  auto names = Napi::Array::New(info.Env());
  auto& registry = Registry::get();
  for (size_t i = 0; i < registry.names.size(); i++) names[uint32_t(i)] = registry.names[i];
  result["kernels"] = names;
  return result;
}

/**
 * Gives what JavaScript frees back to the system: a model's weights pass through its heap once, and glibc, which
 * raises these limits to the largest block that was ever freed, would keep their room for good.
 */
void returnFreedMemory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
#endif
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  returnFreedMemory();
  auto* instance = new Instance;
  env.SetInstanceData(instance);
  env.AddCleanupHook([](Instance* held) { held->engine.reset(); }, instance);
  instance->toJavaScript = Napi::ThreadSafeFunction::New(
      env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}), "millrace", 0, 1);
  instance->toJavaScript.Unref(env);
  exports["start"] = Napi::Function::New(env, start);
  exports["run"] = Napi::Function::New(env, run);
  exports["write"] = Napi::Function::New(env, write);
  exports["free"] = Napi::Function::New(env, release);
  exports["read"] = Napi::Function::New(env, read);
  exports["readSync"] = Napi::Function::New(env, readSync);
  exports["memory"] = Napi::Function::New(env, memory);
  exports["drain"] = Napi::Function::New(env, drain);
  exports["trim"] = Napi::Function::New(env, trim);
  exports["profile"] = Napi::Function::New(env, profile);
  exports["about"] = Napi::Function::New(env, about);
  return exports;
}

}  // namespace

NODE_API_MODULE(millrace_onednn, init)

}  // namespace millrace
