#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

namespace millrace::images {

/**
 * As many threads as there are processors, for work of all environments of this process. Their priority is low, so that the
 * event loop, the garbage collector and the trainer go first where processors are short; and they are not Node's, so that
 * reading a file does not queue behind decoding.
 */
class Threads {
 public:
  static Threads& get();

  /** Queues work; `owner` says whose it is. The threads start with the first. */
  void run(const void* owner, std::function<void()> work);

  /** Drops work of an owner that has not begun, and waits for what has. */
  void drop(const void* owner);

 private:
  struct Task {
    const void* owner;
    std::function<void()> work;
  };
  void loop();

  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::deque<Task> queue_;
  /** The owners of what runs now. */
  std::vector<const void*> running_;
  bool started_ = false;
};

}  // namespace millrace::images
