#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "pool.h"

namespace millrace {

/** How a tensor's numbers are stored. tfjs sees bf16 as float32. */
enum class Type : int { f32 = 0, i32 = 1, u8 = 2, bf16 = 3 };
inline size_t sizeOf(Type type) {
  return type == Type::u8 ? 1 : type == Type::bf16 ? 2 : 4;
}

/** What a matrix product may keep of a weight: the weight in another layout. */
struct Packing {
  virtual ~Packing() = default;
};

/** A tensor: numbers, and the layouts of them that were made on the way. */
struct Slot {
  Type type = Type::f32;
  size_t count = 0;
  Buffer buffer;
  /** Whether the numbers came from JavaScript; a weight that trains is a kernel's result from its first step on. */
  bool written = false;
  std::vector<std::pair<int, std::shared_ptr<Packing>>> packings;
  template <typename T>
  T* data() const {
    return static_cast<T*>(buffer->data);
  }
};

class Engine;

/** One call of a kernel. Tensors are named by the numbers that JavaScript gave them. */
struct Call {
  Engine* engine = nullptr;
  std::vector<int32_t> outs, ins;
  std::vector<int64_t> ints;
  std::vector<double> floats;
  std::vector<Buffer> scratch;

  Slot& in(size_t i);
  bool has(size_t i) const { return i < ins.size() && ins[i] >= 0; }
  /** The input's numbers as f32; a bf16 input is converted for the duration of the call. */
  const float* f32(size_t i);
  Slot& out(size_t i, Type type, size_t count);
  float* outF32(size_t i, size_t count) { return out(i, Type::f32, count).data<float>(); }
  template <typename T>
  T* temp(size_t count) {
    scratch.push_back(allocate(count * sizeof(T)));
    return static_cast<T*>(scratch.back()->data);
  }
};

using Kernel = void (*)(Call&);

/** Kernels by name, filled before main by the files that define them. */
struct Registry {
  std::vector<std::string> names;
  std::vector<Kernel> kernels;
  static Registry& get();
  int add(const char* name, Kernel kernel);
};
#define MILLRACE_CAT2(a, b) a##b
#define MILLRACE_CAT(a, b) MILLRACE_CAT2(a, b)
#define KERNEL(name, fn) static const int MILLRACE_CAT(registered_, __COUNTER__) = Registry::get().add(name, fn)

struct ProfileEntry {
  int64_t calls = 0;
  int64_t nanoseconds = 0;
  /** Of the engine's own thread: with one thread, what the kernel costs however busy the machine is. */
  int64_t processorNanoseconds = 0;
};

/**
 * Executes kernels one after another on a thread of its own, like a device with one stream: JavaScript enqueues
 * and goes on, and waits only where it reads. All slots belong to that thread.
 *
 * The first error stops everything until it has been reported by a read. It begins with the number of the kernel's
 * call, counted from 0.
 */
class Engine {
 public:
  Engine(int threads, bool bf16);
  ~Engine();

  void enqueue(int kernel, Call call);
  void enqueue(std::function<void()> work);
  void write(int32_t id, Slot slot);
  void free(int32_t id);
  /** Waits until everything enqueued is done. */
  void drain();
  /** The error since the last call, if any. */
  std::string takeError();
  /** A tensor, f32 where it was bf16; only on the engine's thread, or when drained. */
  Slot& readable(int32_t id);

  Slot& slot(int32_t id);
  Slot& put(int32_t id, Slot slot);
  size_t slotCount() const { return slotsAlive; }

  const int threads;
  const bool bf16;
  std::atomic<bool> profiling{false};
  std::vector<ProfileEntry> profile;

 private:
  struct Task {
    int kernel = -1;
    uint64_t number = 0;
    Call call;
    std::function<void()> work;
  };
  void loop();
  void run(Task& task);
  void push(Task task);

  std::unordered_map<int32_t, Slot> slots;
  std::atomic<size_t> slotsAlive{0};
  std::deque<Task> queue;
  bool busy = false, stopping = false;
  std::string error;
  uint64_t calls = 0;
  std::mutex mutex;
  std::condition_variable wake, idle;
  std::thread thread;
};

}  // namespace millrace
