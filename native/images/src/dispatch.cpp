#include "loops.h"

#include <cstdlib>
#include <cstring>

namespace millrace::images {

namespace base {
extern const Loops table;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Loops table;
}
namespace avx512 {
extern const Loops table;
}
#endif

namespace {
struct Choice {
  const Loops* table;
  const char* isa;
};

/** Whether MILLRACE_IMAGES_ISA admits an instruction set, by which tests run each one that a processor has. */
bool admitted(const char* isa) {
  const char* only = std::getenv("MILLRACE_IMAGES_ISA");
  return !only || std::strcmp(only, isa) == 0;
}

Choice choose() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (admitted("avx512") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma"))
    return {&avx512::table, "avx512"};
  if (admitted("avx2") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {&avx2::table, "avx2"};
#endif
  return {&base::table, "base"};
}

const Choice& choice() {
  static const Choice chosen = choose();
  return chosen;
}
}  // namespace

const Loops& loops() { return *choice().table; }
const char* loopsIsa() { return choice().isa; }

}  // namespace millrace::images
