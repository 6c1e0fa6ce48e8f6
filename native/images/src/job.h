#pragma once
#include <functional>
#include <utility>
#include <vector>

#include <napi.h>

namespace millrace::images {

/** Work on a thread of Node's pool, as a promise. What it reads and writes is kept alive until it ends. */
class Job : public Napi::AsyncWorker {
 public:
  using Work = std::function<void()>;
  using Result = std::function<Napi::Value(Napi::Env)>;

  /** Queues `work`; `result` then makes what the promise resolves to. `kept` holds the memory that `work` uses. */
  static Napi::Value run(Napi::Env env, std::vector<Napi::Object> kept, Work work, Result result) {
    Job* job = new Job(env, kept, std::move(work), std::move(result));
    Napi::Promise promise = job->deferred_.Promise();
    job->Queue();
    return promise;
  }

  void Execute() override { work_(); }
  void OnOK() override { deferred_.Resolve(result_(Env())); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Job(Napi::Env env, const std::vector<Napi::Object>& kept, Work work, Result result)
      : AsyncWorker(env, "millrace:images"), deferred_(env), work_(std::move(work)), result_(std::move(result)) {
    kept_.reserve(kept.size());
    for (const Napi::Object& object : kept) kept_.push_back(Napi::Persistent(object));
  }

  Napi::Promise::Deferred deferred_;
  Work work_;
  Result result_;
  std::vector<Napi::ObjectReference> kept_;
};

}  // namespace millrace::images
