#include "parallel.h"

#include <vector>
#ifdef __linux__
#include <sched.h>
#endif

namespace millrace {
namespace {

#ifdef __linux__
/** Of the thread that starts the others: the core of each, or none where they may wander. */
thread_local std::vector<int> cores;
#endif

}  // namespace

void useThreads(int threads) {
#ifdef _OPENMP
  omp_set_num_threads(threads);
#endif
#ifdef __linux__
  cores.clear();
  cpu_set_t all;
  if (threads < 2 || sched_getaffinity(0, sizeof(all), &all) != 0 || CPU_COUNT(&all) != threads) return;
  for (int core = 0; core < CPU_SETSIZE; core++)
    if (CPU_ISSET(core, &all)) cores.push_back(core);
#endif
}

const int* threadCores() {
#ifdef __linux__
  return cores.empty() ? nullptr : cores.data();
#else
  return nullptr;
#endif
}

void stayOn(int core) {
#ifdef __linux__
  thread_local int at = -1;
  if (at == core) return;
  at = core;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(core, &one);
  sched_setaffinity(0, sizeof(one), &one);
#else
  (void)core;
#endif
}

}  // namespace millrace
