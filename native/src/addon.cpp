#include <napi.h>

#include <cmath>
#include <cstring>
#include <unordered_map>
#include <utility>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "about.h"
#include "engine.h"
#include "page-out.h"

namespace millrace {
namespace {

/** Larger results are lent to JavaScript instead of copied. */
constexpr size_t kLend = 64 << 10;
/** More than any machine's cores; JavaScript holds them to those that are there. */
constexpr int32_t kMostThreads = 4096;

/** The most bytes that are lent to be filled and hidden from V8's garbage collector. */
constexpr int64_t kHide = 256 << 20;

/** Memory that JavaScript fills. */
struct Lent {
  Buffer buffer;
  /** Its bytes that V8 does not count. */
  int64_t hidden = 0;
};

struct Instance {
  std::unique_ptr<Engine> engine;
  Napi::ThreadSafeFunction toJavaScript;
  int reading = 0;
  /** Memory that JavaScript fills, by its address, until nothing in JavaScript refers to it. */
  std::unordered_map<const void*, Lent> lent;
  int64_t hidden = 0;

  /** Has V8 count so many bytes fewer. V8 would collect garbage for every few batches otherwise, and give nothing back. */
  int64_t hide(Napi::Env env, int64_t bytes) {
    if (hidden + bytes > kHide) return 0;
    hidden += bytes;
    Napi::MemoryManagement::AdjustExternalMemory(env, -bytes);
    return bytes;
  }

  /** Has V8 count them again, where it takes off the whole array itself. */
  void unhide(Napi::Env env, Lent& loan) {
    int64_t bytes = std::exchange(loan.hidden, 0);
    hidden -= bytes;
    if (bytes) Napi::MemoryManagement::AdjustExternalMemory(env, bytes);
  }
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

/** The integers of so many bits; none for 0. */
std::optional<Integers> integersOf(Napi::Value bits) {
  int32_t n = bits.IsUndefined() ? 0 : bits.ToNumber().Int32Value();
  if (n == 0) return std::nullopt;
  if (n != 8 && n != 16) throw Napi::RangeError::New(bits.Env(), "expected integers of 8 or 16 bits");
  return n == 8 ? Integers::int8 : Integers::int16;
}

/** start(threads, bf16, bits of integers); a second call reconfigures the engine, and tensors stay valid. */
Napi::Value start(const Napi::CallbackInfo& info) {
  auto* instance = info.Env().GetInstanceData<Instance>();
  int32_t threads = info[0].ToNumber().Int32Value();
  if (threads < 1 || threads > kMostThreads)
    throw Napi::RangeError::New(info.Env(), "expected threads from 1 to " + std::to_string(kMostThreads));
  EngineSettings settings = {threads, info[1].ToBoolean(), integersOf(info[2])};
  if (instance->engine)
    instance->engine->restart(settings);
  else
    instance->engine = std::make_unique<Engine>(settings);
  return info.Env().Undefined();
}

double numberOf(napi_env env, napi_value value) {
  double x;
  if (napi_get_value_double(env, value, &x) != napi_ok) throw Napi::TypeError::New(env, "expected a number");
  return x;
}

std::vector<double> numbers(Napi::Value value) {
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), "expected an array of numbers");
  auto array = value.As<Napi::Array>();
  std::vector<double> result(array.Length());
  for (uint32_t i = 0; i < result.size(); i++) {
    napi_value item;
    if (napi_get_element(array.Env(), array, i, &item) != napi_ok)
      throw Napi::TypeError::New(array.Env(), "expected an array of numbers");
    result[i] = numberOf(array.Env(), item);
  }
  return result;
}

/** A tensor's number; −1 for an input that is left out. */
int64_t idOf(napi_env env, double x) {
  if (!(x >= -1 && x <= double(kMostNumbers) && x == std::floor(x)))
    throw Napi::RangeError::New(env, "expected the number of a tensor");
  return int64_t(x);
}

int64_t idOf(Napi::Value value) { return idOf(value.Env(), numberOf(value.Env(), value)); }

std::vector<int64_t> ids(Napi::Value value) {
  std::vector<int64_t> result;
  for (double x : numbers(value)) result.push_back(idOf(value.Env(), x));
  return result;
}

/** run(kernel, outs, ins, numbers, sizes of outs): all at the places that `about()` names. */
Napi::Value run(const Napi::CallbackInfo& info) {
  double kernel = numberOf(info.Env(), info[0]);
  if (!(kernel >= 0 && kernel < double(Registry::get().kernels.size())))
    throw Napi::RangeError::New(info.Env(), "expected the number of a kernel");
  Given given;
  given.outs = ids(info[1]);
  given.ins = ids(info[2]);
  given.numbers = numbers(info[3]);
  given.sizes = numbers(info[4]);
  engineOf(info).enqueue(int(kernel), Call(std::move(given)));
  return info.Env().Undefined();
}

/**
 * allocate(float32 or int32, count): an array in the engine's own memory, for numbers that are made outside. `write` takes
 * that memory over instead of copying it, and the array is then empty. Its numbers are of no account at first.
 */
Napi::Value allocateArray(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string type = info[0].ToString();
  double count = numberOf(env, info[1]);
  if ((type != "float32" && type != "int32") || !(count >= 1 && count <= double(INT32_MAX) && count == std::floor(count)))
    throw Napi::TypeError::New(env, "expected float32 or int32, and a whole number from 1 up");
#ifdef NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED
  return env.Undefined();
#else
  auto* instance = env.GetInstanceData<Instance>();
  Buffer buffer;
  try {
    buffer = allocate(size_t(count) * 4);
  } catch (const std::bad_alloc&) {
    throw Napi::Error::New(env, "out of memory");
  }
  const void* address = buffer->data;
  auto bytes = int64_t(buffer->bytes);
  auto memory = Napi::ArrayBuffer::New(env, buffer->data, buffer->bytes, [instance](Napi::Env env, void* data) {
    auto found = instance->lent.find(data);
    instance->unhide(env, found->second);
    instance->lent.erase(found);
  });
  instance->lent.emplace(address, Lent{std::move(buffer), instance->hide(env, bytes)});
  return view(env, type == "int32" ? Type::i32 : Type::f32, memory, size_t(count));
#endif
}

/** The memory of a whole array from `allocate`, which JavaScript no longer has; null for any other array. */
Buffer takenOver(Instance& instance, Napi::TypedArray array) {
  Napi::ArrayBuffer memory = array.ArrayBuffer();
  auto found = instance.lent.find(memory.Data());
  if (found == instance.lent.end() || array.ByteOffset() != 0) return nullptr;
  Buffer buffer = found->second.buffer;
  if (array.ByteLength() != buffer->bytes) return nullptr;
  instance.unhide(array.Env(), found->second);
  memory.Detach();
  return buffer;
}

/** write(id, numbers): Float32Array, Int32Array or Uint8Array. */
Napi::Value write(const Napi::CallbackInfo& info) {
  if (!info[1].IsTypedArray())
    throw Napi::TypeError::New(info.Env(), "expected a Float32Array, Int32Array or Uint8Array");
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
  engineOf(info);  // no memory is taken over where there is no engine
  slot.buffer = takenOver(*info.Env().GetInstanceData<Instance>(), array);
  if (!slot.buffer) {
    try {
      slot.buffer = allocate(array.ByteLength());
    } catch (const std::bad_alloc&) {
      throw Napi::Error::New(info.Env(), "out of memory");
    }
    if (array.ByteLength())
      std::memcpy(slot.buffer->data, static_cast<char*>(array.ArrayBuffer().Data()) + array.ByteOffset(),
                  array.ByteLength());
  }
  engineOf(info).write(idOf(info[0]), std::move(slot));
  return info.Env().Undefined();
}

Napi::Value release(const Napi::CallbackInfo& info) {
  engineOf(info).free(idOf(info[0]));
  return info.Env().Undefined();
}

Napi::Value readSync(const Napi::CallbackInfo& info) {
  Engine& engine = engineOf(info);
  engine.drain();
  std::string error = engine.takeError();
  if (!error.empty()) throw Napi::Error::New(info.Env(), error);
  try {
    Slot& slot = engine.readable(idOf(info[0]));
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
  auto reading = std::make_shared<Reading>(Reading{Napi::Promise::Deferred::New(info.Env()), {}, Type::f32, 0, nullptr});
  auto promise = reading->deferred.Promise();
  int64_t id = idOf(info[0]);
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
    auto deliver = [instance](Napi::Env env, Napi::Function, std::shared_ptr<Reading>* held) {
      std::shared_ptr<Reading> done = std::move(*held);
      delete held;
      if (--instance->reading == 0) instance->toJavaScript.Unref(env);
      if (done->error.empty())
        done->deferred.Resolve(toArray(env, done->type, done->count, std::move(done->buffer)));
      else
        done->deferred.Reject(Napi::Error::New(env, done->error).Value());
    };
    auto* held = new std::shared_ptr<Reading>(reading);
    if (instance->toJavaScript.BlockingCall(held, deliver) != napi_ok) delete held;
  });
  return promise;
}

Napi::Value memory(const Napi::CallbackInfo& info) {
  auto use = poolUse();
  auto result = Napi::Object::New(info.Env());
  result["bytesInUse"] = double(use.inUse);
  result["bytesReserved"] = double(use.reserved);
  result["bytesInFiles"] = double(bytesInFiles());
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

/** profile(on): returns the measurements so far by kernel, and turns measuring on or off. */
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
  exports["allocate"] = Napi::Function::New(env, allocateArray);
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
