#include <limits>
#include <memory>
#include <napi.h>

#include "arguments.h"
#include "job.h"
#include "jpeg.h"
#include "load.h"
#include "loops.h"
#include "png.h"
#include "render.h"
#include "resize.h"
#include "zlib.h"

namespace millrace::images {
namespace {

constexpr double IDS = 65536, TABLE = 256;

Napi::Value nothing(Napi::Env env) { return env.Undefined(); }

/** `width` · `height` · `channels`, where that many values can be held. */
double valuesOf(const Arguments& arguments, int width, int height, int channels) {
  double count = double(width) * height * channels;
  if (count > MOST_VALUES) arguments.refuse("width, height", "fewer pixels");
  return count;
}

Napi::Value about(const Napi::CallbackInfo& info) {
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("isa", loopsIsa());
  result.Set("jpeg", jpegLibrary());
  result.Set("zlib", hasZlib());
  return result;
}

Source sourceOf(Arguments& arguments, const char* name) {
  Source source;
  source.path = arguments.text(name);
  if (!source.path.empty() || !arguments.has(name)) return source;
  source.bytes = arguments.elements<uint8_t>(name, napi_uint8_array, 1, false);
  source.size = arguments.length();
  return source;
}

LoadJob loadJobOf(Arguments& arguments) {
  LoadJob job;
  job.image = sourceOf(arguments, "image");
  job.mask = sourceOf(arguments, "mask");
  job.width = arguments.whole("width", 1);
  job.height = arguments.whole("height", 1);
  job.fast = arguments.flag("fast");
  job.mostPixels = size_t(arguments.whole("mostPixels", 1));
  double pixels = valuesOf(arguments, job.width, job.height, 3) / 3;
  job.imageOut = arguments.bytes("imageOut", 3 * pixels);
  job.maskOut = job.mask.none() ? nullptr : arguments.bytes("maskOut", pixels);
  job.classes = job.mask.none() ? nullptr : arguments.elements<int16_t>("classes", napi_int16_array, IDS);
  return job;
}

Napi::Value loadFiles(const Napi::CallbackInfo& info) {
  Arguments arguments(info[0]);
  LoadJob job = loadJobOf(arguments);
  auto whole = std::make_shared<bool>(false);
  return Job::run(
      info.Env(), arguments.kept(), [job, whole] { *whole = load(job); },
      [whole](Napi::Env env) { return Napi::Boolean::New(env, *whole); });
}

Napi::Value loadFilesNow(const Napi::CallbackInfo& info) {
  Arguments arguments(info[0]);
  LoadJob job = loadJobOf(arguments);
  try {
    return Napi::Boolean::New(info.Env(), load(job));
  } catch (const std::bad_alloc&) {
    throw Napi::Error::New(info.Env(), "out of memory");
  }
}

Napi::Value resizeImage(const Napi::CallbackInfo& info) {
  Arguments arguments(info[0]);
  Picture from = {nullptr, arguments.whole("width", 1), arguments.whole("height", 1), arguments.whole("channels", 1)};
  int width = arguments.whole("toWidth", 1), height = arguments.whole("toHeight", 1);
  from.pixels = arguments.bytes("pixels", valuesOf(arguments, from.width, from.height, from.channels));
  uint8_t* out = arguments.bytes("out", valuesOf(arguments, width, height, from.channels));
  return Job::run(info.Env(), arguments.kept(), [=] { resizeBilinear(from, width, height, out); }, nothing);
}

Napi::Value resizeMask(const Napi::CallbackInfo& info) {
  Arguments arguments(info[0]);
  int fromWidth = arguments.whole("width", 1), fromHeight = arguments.whole("height", 1);
  int width = arguments.whole("toWidth", 1), height = arguments.whole("toHeight", 1);
  const uint8_t* pixels = arguments.bytes("pixels", valuesOf(arguments, fromWidth, fromHeight, 1));
  uint8_t* out = arguments.bytes("out", valuesOf(arguments, width, height, 1));
  auto same = [](uint8_t id) { return id; };
  auto work = [=] { resizeNearest(pixels, fromWidth, fromHeight, width, height, same, out); };
  return Job::run(info.Env(), arguments.kept(), work, nothing);
}

/** The ids as a typed array with their size; undefined where the file is left to the other reader. */
Napi::Value idsResult(Napi::Env env, const Ids* ids) {
  if (!ids) return env.Undefined();
  Napi::Object result = Napi::Object::New(env);
  result.Set("width", ids->width);
  result.Set("height", ids->height);
  size_t count = size_t(ids->width) * size_t(ids->height);
  if (!ids->deep) {
    Napi::Uint8Array data = Napi::Uint8Array::New(env, count);
    std::copy_n(ids->bytes, count, data.Data());
    result.Set("data", data);
  } else {
    Napi::Uint16Array data = Napi::Uint16Array::New(env, count);
    std::copy_n(ids->wide, count, data.Data());
    result.Set("data", data);
  }
  return result;
}

Napi::Value readIdsOf(const Napi::CallbackInfo& info) {
  Arguments arguments(info[0]);
  const uint8_t* bytes = arguments.elements<uint8_t>("bytes", napi_uint8_array, 0, false);
  size_t size = arguments.length(), most = size_t(arguments.whole("mostPixels", 1));
  auto ids = std::make_shared<Ids>();
  auto whole = std::make_shared<bool>(false);
  return Job::run(
      info.Env(), arguments.kept(), [=] { *whole = readIds(bytes, size, most, *ids); },
      [=](Napi::Env env) { return idsResult(env, *whole ? ids.get() : nullptr); });
}

/** The samples of a batch, each beside its place in the results. */
struct Batch {
  int width = 0, height = 0;
  const void* tables = nullptr;
  std::vector<Sample> samples;
  std::vector<Target> targets;
  IdRange range;

  void render() {
    for (size_t i = 0; i < samples.size(); i++) images::render(samples[i], width, height, tables, targets[i], range);
  }
};

/** The range of ids as JavaScript has it: of none, from infinity down. */
Napi::Value rangeResult(Napi::Env env, const IdRange& range) {
  constexpr double INFINITE = std::numeric_limits<double>::infinity();
  bool none = range.smallest > range.largest;
  Napi::Object result = Napi::Object::New(env);
  result.Set("smallest", none ? INFINITE : range.smallest);
  result.Set("largest", none ? -INFINITE : range.largest);
  return result;
}

Sample sampleOf(Arguments& fields, double pixels, bool masked) {
  Sample sample = {};
  sample.image = fields.bytes("image", 3 * pixels);
  sample.mask = masked ? fields.bytes("mask", pixels) : nullptr;
  sample.edits = fields.elements<double>("edits", napi_float64_array, 0, false);
  sample.editCount = fields.length();
  return sample;
}

/** Where sample `place` of the results lies: `out` are floats, halves or bytes, `maskOut` whole numbers or bytes. */
Target targetOf(Arguments& arguments, napi_typedarray_type type, double count, size_t place, double pixels, bool masked) {
  Target target = {};
  size_t at = place * size_t(pixels);
  if (type == napi_float32_array) target.floats = arguments.elements<float>("out", type, 3 * count) + 3 * at;
  else if (type == napi_uint16_array) target.halves = arguments.elements<uint16_t>("out", type, 3 * count) + 3 * at;
  else target.bytes = arguments.bytes("out", 3 * count) + 3 * at;
  if (!masked) return target;
  if (type == napi_uint8_array) target.maskBytes = arguments.bytes("maskOut", count) + at;
  else target.mask = arguments.elements<int32_t>("maskOut", napi_int32_array, count) + at;
  return target;
}

Napi::Value renderBatch(const Napi::CallbackInfo& info) {
  Arguments arguments(info[0]);
  auto batch = std::make_shared<Batch>();
  batch->width = arguments.whole("width", 1);
  batch->height = arguments.whole("height", 1);
  double pixels = valuesOf(arguments, batch->width, batch->height, 3) / 3;
  if (!arguments.get("samples").IsArray()) arguments.refuse("samples", "an array");
  Napi::Array samples = arguments.get("samples").As<Napi::Array>();
  int first = arguments.whole("first", 0);
  double count = double(arguments.whole("count", 1)) * pixels;
  if (double(first) + samples.Length() > count / pixels) arguments.refuse("samples", "no more than the results hold");
  bool masked = arguments.has("maskOut");
  if (!arguments.get("out").IsTypedArray()) arguments.refuse("out", "a typed array");
  napi_typedarray_type type = arguments.get("out").As<Napi::TypedArray>().TypedArrayType();
  if (type == napi_float32_array) batch->tables = arguments.elements<float>("tables", type, 3 * TABLE);
  if (type == napi_uint16_array) batch->tables = arguments.elements<uint16_t>("tables", type, 3 * TABLE);
  std::vector<Napi::Object> kept;
  for (uint32_t i = 0; i < samples.Length(); i++) {
    Arguments fields(samples.Get(i));
    batch->samples.push_back(sampleOf(fields, pixels, masked));
    batch->targets.push_back(targetOf(arguments, type, count, size_t(first) + i, pixels, masked));
    kept.insert(kept.end(), fields.kept().begin(), fields.kept().end());
  }
  kept.insert(kept.end(), arguments.kept().begin(), arguments.kept().end());
  bool ranged = masked && type != napi_uint8_array;
  return Job::run(
      info.Env(), kept, [batch] { batch->render(); },
      [batch, ranged](Napi::Env env) { return ranged ? rangeResult(env, batch->range) : env.Undefined(); });
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Job::JobsOfEnvironment(env));
  exports.Set("about", Napi::Function::New(env, about));
  exports.Set("load", Napi::Function::New(env, loadFiles));
  exports.Set("loadNow", Napi::Function::New(env, loadFilesNow));
  exports.Set("resizeBilinear", Napi::Function::New(env, resizeImage));
  exports.Set("resizeNearest", Napi::Function::New(env, resizeMask));
  exports.Set("readIds", Napi::Function::New(env, readIdsOf));
  exports.Set("render", Napi::Function::New(env, renderBatch));
  return exports;
}

}  // namespace
}  // namespace millrace::images

Napi::Object initImages(Napi::Env env, Napi::Object exports) { return millrace::images::init(env, exports); }
NODE_API_MODULE(images, initImages)
