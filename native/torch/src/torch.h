#ifndef MILLRACE_TORCH_H
#define MILLRACE_TORCH_H
// What takes the compiler long to read, and is therefore compiled once: LibTorch's tensors and Node's interface.
#include <ATen/ATen.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <napi.h>

#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>
#endif
