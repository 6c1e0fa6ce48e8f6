#pragma once
#include <napi.h>

namespace millrace {

/** about(): what runs here, and every name that JavaScript calls it by. */
Napi::Value about(const Napi::CallbackInfo& info);

}  // namespace millrace
