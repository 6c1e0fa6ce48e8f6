#include "threads.h"

#include <algorithm>
#include <thread>

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__APPLE__)
#include <pthread/qos.h>
#endif

namespace millrace::images {
namespace {

/** Lowers the priority of this thread alone: where all are busy, it has about a tenth of the time of the others. */
void giveWay() {
#if defined(__linux__)
  constexpr int STEPS = 10;
  auto thread = id_t(syscall(SYS_gettid));
  setpriority(PRIO_PROCESS, thread, std::min(19, getpriority(PRIO_PROCESS, thread) + STEPS));
#elif defined(__APPLE__)
  pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0);
#endif
}

}  // namespace

Threads& Threads::get() {
  // Never destroyed: threads may outlive every static object when the process ends.
  static Threads* threads = new Threads;
  return *threads;
}

void Threads::run(const void* owner, std::function<void()> work) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!started_) {
    unsigned count = std::max(1u, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < count; i++) std::thread([this] { loop(); }).detach();
    started_ = true;
  }
  queue_.push_back({owner, std::move(work)});
  wake_.notify_one();
}

void Threads::drop(const void* owner) {
  std::unique_lock<std::mutex> lock(mutex_);
  auto ours = [owner](const Task& task) { return task.owner == owner; };
  queue_.erase(std::remove_if(queue_.begin(), queue_.end(), ours), queue_.end());
  idle_.wait(lock, [&] { return std::find(running_.begin(), running_.end(), owner) == running_.end(); });
}

void Threads::loop() {
  giveWay();
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return !queue_.empty(); });
    Task task = std::move(queue_.front());
    queue_.pop_front();
    running_.push_back(task.owner);
    lock.unlock();
    task.work();
    task.work = nullptr;
    lock.lock();
    running_.erase(std::find(running_.begin(), running_.end(), task.owner));
    idle_.notify_all();
  }
}

}  // namespace millrace::images
