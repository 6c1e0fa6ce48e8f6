#pragma once
#include <algorithm>
#include <cstddef>
#ifdef _OPENMP
#include <omp.h>
#endif

namespace millrace {

/**
 * How many threads the calling thread's work is for. Where that is all cores, each thread stays on one of its own: one
 * that sleeps between kernels is else woken beside the thread that wakes it, when another process has taken its core.
 */
void useThreads(int threads);

/** The core of each thread, or null where they may wander. */
const int* threadCores();

/** Keeps the calling thread on a core from now on. */
void stayOn(int core);

inline int threadCount() {
#ifdef _OPENMP
  return omp_get_max_threads();
#else
  return 1;
#endif
}

/** Runs `work(begin, end)` over parts of [0, count) on all threads; fewer than `grain` items are not split. */
template <typename Work>
void parallelFor(size_t count, size_t grain, Work work) {
  if (count == 0) return;
#ifdef _OPENMP
  size_t most = std::max<size_t>(1, count / std::max<size_t>(1, grain));
  int threads = int(std::min<size_t>(size_t(threadCount()), most));
  if (threads > 1) {
    const int* cores = threadCores();
#pragma omp parallel num_threads(threads)
    {
      size_t n = size_t(omp_get_num_threads()), i = size_t(omp_get_thread_num());
      if (cores) stayOn(cores[i]);
      size_t begin = count * i / n, end = count * (i + 1) / n;
      if (begin < end) work(begin, end);
    }
    return;
  }
#endif
  work(size_t(0), count);
}

}  // namespace millrace
