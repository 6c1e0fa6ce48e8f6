#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <napi.h>

#include "threads.h"

namespace millrace::images {

/** Work on one of the addon's threads, as a promise. What it reads and writes is kept alive until it ends. */
class Job {
 public:
  using Work = std::function<void()>;
  using Result = std::function<Napi::Value(Napi::Env)>;

  /** Queues `work`; `result` then makes what the promise resolves to. `kept` holds the memory that `work` uses. */
  static Napi::Value run(Napi::Env env, const std::vector<Napi::Object>& kept, Work work, Result result) {
    auto* instance = env.GetInstanceData<JobsOfEnvironment>();
    auto job = std::make_unique<Job>(env, std::move(result));
    job->kept_.reserve(kept.size());
    for (const Napi::Object& object : kept) job->kept_.push_back(Napi::Persistent(object));
    Napi::Promise promise = job->deferred_.Promise();
    instance->start(std::move(job), std::move(work));
    return promise;
  }

  Job(Napi::Env env, Result result) : deferred_(env), result_(std::move(result)) {}

  /** What one environment of Node has in work: its main thread's, or that of a worker. */
  class JobsOfEnvironment {
   public:
    explicit JobsOfEnvironment(Napi::Env env) {
      napi_value name = Napi::String::New(env, "millrace:images");
      if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, onLoop, &loop_) != napi_ok)
        throw Napi::Error::New(env);
      napi_unref_threadsafe_function(env, loop_);
      // As the environment ends: work that has not begun is dropped, and what has begun is waited for.
      env.AddCleanupHook([](JobsOfEnvironment* jobs) { jobs->stop(); }, this);
    }

    void start(std::unique_ptr<Job> job, Work work) {
      if (pending_++ == 0) napi_ref_threadsafe_function(job->deferred_.Env(), loop_);
      auto* running = job.get();
      waiting_.push_back(std::move(job));
      Threads::get().run(this, [this, running, work = std::move(work)] {
        try {
          work();
        } catch (const std::exception& error) {
          running->error_ = error.what();
        }
        std::lock_guard<std::mutex> lock(mutex_);
        done_.push_back(running);
        if (done_.size() == 1) napi_call_threadsafe_function(loop_, nullptr, napi_tsfn_nonblocking);
      });
    }

   private:
    /** On the environment's own thread; without an environment, where that ends. */
    static void onLoop(napi_env env, napi_value, void* jobs, void*) {
      if (env) static_cast<JobsOfEnvironment*>(jobs)->settle(env);
    }

    /** Settles the promises of what is done. */
    void settle(Napi::Env env) {
      std::vector<Job*> done;
      {
        std::lock_guard<std::mutex> lock(mutex_);
        done.swap(done_);
      }
      for (Job* job : done) {
        Napi::HandleScope scope(env);
        try {
          if (--pending_ == 0) napi_unref_threadsafe_function(env, loop_);
          job->settle(env);
        } catch (const Napi::Error&) {
          // The environment ends, and runs no JavaScript any more.
        }
        forget(job);
      }
    }

    void forget(Job* job) {
      for (auto& held : waiting_)
        if (held.get() == job) {
          held.swap(waiting_.back());
          waiting_.pop_back();
          return;
        }
    }

    void stop() {
      Threads::get().drop(this);
      waiting_.clear();
    }

    napi_threadsafe_function loop_ = nullptr;
    /** Jobs that are not settled; only on the environment's thread. */
    std::vector<std::unique_ptr<Job>> waiting_;
    size_t pending_ = 0;
    std::mutex mutex_;
    std::vector<Job*> done_;
  };

 private:
  void settle(Napi::Env env) {
    if (!error_.empty()) return deferred_.Reject(Napi::Error::New(env, error_).Value());
    Napi::Value value;
    try {
      value = result_(env);
    } catch (const Napi::Error& error) {
      return deferred_.Reject(error.Value());
    }
    deferred_.Resolve(value);
  }

  Napi::Promise::Deferred deferred_;
  Result result_;
  std::string error_;
  std::vector<Napi::ObjectReference> kept_;
};

}  // namespace millrace::images
