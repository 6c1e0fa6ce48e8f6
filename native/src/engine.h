#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "call.h"
#include "integer-tiles.h"
#include "names.h"

namespace millrace {

using Kernel = void (*)(Call&);

/** Kernels by name, filled before main by the files that define them. */
struct Registry {
  std::vector<std::string> names;
  std::vector<Kernel> kernels;
  /** The names of each kernel's arguments: those that come once, and those that are repeated. */
  std::vector<ArgumentNames> once, repeated;
  static Registry& get();
  int add(const char* name, Kernel kernel, ArgumentNames once, ArgumentNames repeated);
  /** Adds `K::run`, whose arguments are those of K. */
  template <typename K>
  int add(const char* name) {
    return add(name, K::run, ArgumentNames::of<K>(), ArgumentNames::of<typename K::Each>());
  }
};
#define MILLRACE_CAT2(a, b) a##b
#define MILLRACE_CAT(a, b) MILLRACE_CAT2(a, b)
#define KERNEL(name, K) static const int MILLRACE_CAT(registered_, __COUNTER__) = Registry::get().add<K>(name)

struct ProfileEntry {
  int64_t calls = 0;
  int64_t nanoseconds = 0;
  /** Of the engine's own thread: with one thread, what the kernel costs however busy the machine is. */
  int64_t processorNanoseconds = 0;
};

/** How an engine computes. */
struct EngineSettings {
  int threads;
  /** Whether products round their factors to bf16, and activations are stored so. */
  bool bf16;
  /** What the products of frozen weights are computed in, where that is integers. */
  std::optional<Integers> integers;
};

/**
 * Executes kernels one after another on its own thread, like a device with one stream: JavaScript enqueues
 * and continues, and waits only when it reads. All slots belong to that thread.
 *
 * The first error stops everything until it has been reported by a read. It begins with the number of the kernel's
 * call, counted from 0.
 */
class Engine {
 public:
  explicit Engine(EngineSettings settings);
  ~Engine();

  /** Goes on with other threads or another precision; tensors stay. */
  void restart(EngineSettings settings);

  void enqueue(int kernel, Call call);
  void enqueue(std::function<void()> work);
  void write(int64_t id, Slot slot);
  void free(int64_t id);
  /** Waits until everything enqueued is done. */
  void drain();
  /** The error since the last call, if any. */
  std::string takeError();
  /** A tensor, f32 where it was bf16; only on the engine's thread, or when drained. */
  Slot& readable(int64_t id);

  Slot& slot(int64_t id);
  /** A new tensor; its number must be new, too. */
  Slot& add(int64_t id, Slot slot);
  size_t slotCount() const { return slotsAlive; }

  int threads;
  bool bf16;
  std::optional<Integers> integers;
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
  void stop();

  std::unordered_map<int64_t, Slot> slots;
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
