#include "engine.h"

#include <time.h>

#include "loops.h"
#include "parallel.h"

namespace millrace {
namespace {
// The number of kernels by which JavaScript may run ahead of the engine.
constexpr size_t kMostQueued = 8192;

int64_t clockOf(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return int64_t(now.tv_sec) * 1000000000 + now.tv_nsec;
}
}  // namespace

Registry& Registry::get() {
  static Registry* registry = new Registry;
  return *registry;
}

int Registry::add(const char* name, Kernel kernel, ArgumentNames one, ArgumentNames each) {
  names.emplace_back(name);
  kernels.push_back(kernel);
  once.push_back(one);
  repeated.push_back(each);
  return int(kernels.size()) - 1;
}

Engine::Engine(EngineSettings s) : threads(s.threads), bf16(s.bf16), integers(s.integers) {
  profile.resize(Registry::get().kernels.size());
  thread = std::thread([this] { loop(); });
}

Engine::~Engine() { stop(); }

void Engine::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    stopping = true;
  }
  wake.notify_all();
  thread.join();
}

void Engine::restart(EngineSettings settings) {
  drain();
  // A new thread, since the old one and those that it started may be kept on cores.
  stop();
  threads = settings.threads;
  bf16 = settings.bf16;
  integers = settings.integers;
  stopping = false;
  thread = std::thread([this] { loop(); });
}

void Engine::loop() {
  useThreads(threads);
  std::unique_lock<std::mutex> lock(mutex);
  while (true) {
    wake.wait(lock, [this] { return stopping || !queue.empty(); });
    if (stopping) return;
    Task task = std::move(queue.front());
    queue.pop_front();
    busy = true;
    bool skip = !error.empty() && task.kernel >= 0;
    lock.unlock();
    std::string failed;
    if (!skip) {
      try {
        run(task);
      } catch (const std::bad_alloc&) {
        failed = "out of memory";
      } catch (const std::exception& e) {
        failed = e.what();
      }
      if (!failed.empty() && task.kernel >= 0)
        failed = std::to_string(task.number) + " " + Registry::get().names[task.kernel] + ": " + failed;
    }
    task = Task();
    lock.lock();
    if (!failed.empty() && error.empty()) error = failed;
    busy = false;
    if (queue.size() <= kMostQueued / 2) idle.notify_all();
  }
}

void Engine::run(Task& task) {
  if (task.kernel < 0) return task.work();
  task.call.engine = this;
  if (!profiling) return Registry::get().kernels[task.kernel](task.call);
  int64_t start = clockOf(CLOCK_MONOTONIC), processorStart = clockOf(CLOCK_THREAD_CPUTIME_ID);
  Registry::get().kernels[task.kernel](task.call);
  auto& entry = profile[task.kernel];
  entry.calls++;
  entry.nanoseconds += clockOf(CLOCK_MONOTONIC) - start;
  entry.processorNanoseconds += clockOf(CLOCK_THREAD_CPUTIME_ID) - processorStart;
}

void Engine::push(Task task) {
  std::unique_lock<std::mutex> lock(mutex);
  if (queue.size() >= kMostQueued)
    idle.wait(lock, [this] { return queue.size() <= kMostQueued / 2; });
  bool sleeping = queue.empty() && !busy;
  queue.push_back(std::move(task));
  lock.unlock();
  if (sleeping) wake.notify_one();
}

void Engine::enqueue(int kernel, Call call) {
  Task task;
  task.kernel = kernel;
  task.number = calls++;
  task.call = std::move(call);
  push(std::move(task));
}

void Engine::enqueue(std::function<void()> work) {
  Task task;
  task.work = std::move(work);
  push(std::move(task));
}

void Engine::write(int64_t id, Slot slot) {
  auto shared = std::make_shared<Slot>(std::move(slot));
  enqueue([this, id, shared] { add(id, std::move(*shared)); });
}

void Engine::free(int64_t id) {
  enqueue([this, id] {
    slots.erase(id);
    slotsAlive = slots.size();
  });
}

void Engine::drain() {
  std::unique_lock<std::mutex> lock(mutex);
  idle.wait(lock, [this] { return queue.empty() && !busy; });
}

std::string Engine::takeError() {
  std::lock_guard<std::mutex> lock(mutex);
  std::string taken;
  taken.swap(error);
  return taken;
}

Slot& Engine::slot(int64_t id) {
  auto found = slots.find(id);
  if (found == slots.end()) throw std::runtime_error("no tensor " + std::to_string(id));
  return found->second;
}

Slot& Engine::add(int64_t id, Slot slot) {
  auto [place, isNew] = slots.emplace(id, std::move(slot));
  if (!isNew) throw std::runtime_error("tensor " + std::to_string(id) + " exists already");
  slotsAlive = slots.size();
  return place->second;
}

Slot& Engine::readable(int64_t id) {
  Slot& held = slot(id);
  if (held.type == Type::bf16) {
    Buffer wide = allocate(held.count * sizeof(float));
    loops().toF32(held.data<uint16_t>(), static_cast<float*>(wide->data), held.count);
    held.buffer = wide;
    held.type = Type::f32;
  }
  return held;
}

}  // namespace millrace
