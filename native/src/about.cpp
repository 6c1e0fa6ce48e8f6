#include "about.h"

#include <string>
#include <vector>

#include "attention-bf16.h"
#include "engine.h"
#include "gemm.h"
#include "loops.h"

namespace millrace {
namespace {

std::vector<std::string> splitNames(const char* list) {
  std::vector<std::string> names(countNames(list));
  size_t i = 0;
  for (const char* at = list; *at; at++)
    if (*at == ',')
      i++;
    else if (*at != ' ')
      names[i] += *at;
  return names;
}

Napi::Array listed(Napi::Env env, const char* names) {
  auto list = Napi::Array::New(env);
  uint32_t i = 0;
  for (const std::string& name : splitNames(names)) list[i++] = name;
  return list;
}

template <typename Enum>
void addEnum(Napi::Object enums, const char* name) {
  auto members = Napi::Object::New(enums.Env());
  int value = 0;
  for (const std::string& member : splitNames(namesOf(Enum()))) members[member] = value++;
  enums[name] = members;
}

Napi::Object toObject(Napi::Env env, const ArgumentNames& names) {
  auto result = Napi::Object::New(env);
  result["inputs"] = listed(env, names.inputs);
  result["results"] = listed(env, names.results);
  result["numbers"] = listed(env, names.numbers);
  return result;
}

}  // namespace

Napi::Value about(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto result = Napi::Object::New(env);
  result["library"] = gemmLibrary();
  result["isa"] = loopsIsa();
  result["fastBf16"] = hasFastBf16();
  result["integerIsa"] = integerTiles().isa;
  result["attentionIsa"] = attentionLoops() ? attentionLoops()->isa : "none";
  result["mostOfWeight8"] = integerTiles().mostOfWeight[int(Integers::int8)];
  auto enums = Napi::Object::New(env);
  addEnum<Type>(enums, "Type");
  addEnum<Unary>(enums, "Unary");
  addEnum<Binary>(enums, "Binary");
  addEnum<Compare>(enums, "Compare");
  addEnum<Reduce>(enums, "Reduce");
  result["enums"] = enums;
  auto kernels = Napi::Array::New(env);
  auto& registry = Registry::get();
  for (uint32_t i = 0; i < registry.names.size(); i++) {
    auto kernel = toObject(env, registry.once[i]);
    kernel["name"] = registry.names[i];
    kernel["each"] = toObject(env, registry.repeated[i]);
    kernels[i] = kernel;
  }
  result["kernels"] = kernels;
  return result;
}

}  // namespace millrace
