#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <napi.h>

namespace millrace::images {

/** The most values of a picture: their count fits an int. */
constexpr double MOST_VALUES = 2147483647;

/** The fields of an argument object, checked as they are read; remembers the memory that a job must keep. */
class Arguments {
 public:
  explicit Arguments(const Napi::Value& value) : object_(objectOf(value)) {}

  /** A whole number from `least` up. */
  int whole(const char* name, int least) const {
    Napi::Value value = object_.Get(name);
    double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
    if (!(number >= least && number <= MOST_VALUES && number == double(int(number))))
      refuse(name, "a whole number from " + std::to_string(least) + " up");
    return int(number);
  }

  bool flag(const char* name) const { return object_.Get(name).ToBoolean().Value(); }

  std::string text(const char* name) const {
    Napi::Value value = object_.Get(name);
    return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
  }

  bool has(const char* name) const {
    Napi::Value value = object_.Get(name);
    return !value.IsUndefined() && !value.IsNull();
  }

  /** The elements of a typed array of this type with at least, or exactly, so many of them. */
  template <typename Element>
  Element* elements(const char* name, napi_typedarray_type type, double count, bool exactly = true) {
    Napi::Value value = object_.Get(name);
    if (!value.IsTypedArray()) refuse(name, "a typed array");
    napi_typedarray_type actual;
    size_t length = 0;
    void* data = nullptr;
    napi_status status = napi_get_typedarray_info(value.Env(), value, &actual, &length, &data, nullptr, nullptr);
    bool fits = exactly ? double(length) == count : double(length) >= count;
    if (status != napi_ok || actual != type || !fits)
      refuse(name, "a typed array of its type with " + std::to_string(int64_t(count)) + " elements, got " + std::to_string(length));
    kept_.push_back(value.As<Napi::Object>());
    length_ = length;
    return static_cast<Element*>(data);
  }

  uint8_t* bytes(const char* name, double count) { return elements<uint8_t>(name, napi_uint8_array, count); }

  /** The length of the array that was read last. */
  size_t length() const { return length_; }
  Napi::Value get(const char* name) const { return object_.Get(name); }
  const std::vector<Napi::Object>& kept() const { return kept_; }

  [[noreturn]] void refuse(const char* name, const std::string& expected) const {
    throw Napi::TypeError::New(object_.Env(), std::string(name) + ": expected " + expected);
  }

 private:
  static Napi::Object objectOf(const Napi::Value& value) {
    if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "expected an object of arguments");
    return value.As<Napi::Object>();
  }

  Napi::Object object_;
  std::vector<Napi::Object> kept_;
  size_t length_ = 0;
};

}  // namespace millrace::images
