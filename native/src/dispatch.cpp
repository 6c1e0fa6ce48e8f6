#include <cstdlib>
#include <cstring>

#include "amx.h"
#include "attention-bf16.h"
#include "integer-tiles.h"
#include "loops.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace millrace {

namespace base {
extern const Loops table;
extern const IntegerTiles integers;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Loops table;
extern const IntegerTiles integers;
}
namespace avx512 {
extern const Loops table;
}
namespace avx512bf16 {
extern const AttentionLoops table;
}
namespace avx512vnni {
extern const IntegerTiles integers;
}
#if defined(MILLRACE_AMX)
namespace amxint8 {
extern const IntegerTiles integers;
}
#endif
#endif

namespace {
struct Choice {
  const Loops* table;
  const char* isa;
};

#if defined(__x86_64__)
bool avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

/** AVX512-BF16 without AMX: with tiles, oneDNN's products are faster than vector ones of our own. */
bool vectorBf16() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!avx512() || !__get_cpuid_count(7, 1, &a, &b, &c, &d)) return false;
  return (a & (1u << 5)) && !mayUseTiles(TileProducts::bf16);
}
#endif

Choice choose() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (avx512()) return {&avx512::table, "avx512"};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {&avx2::table, "avx2"};
#endif
  return {&base::table, "base"};
}

const Choice& choice() {
  static const Choice chosen = choose();
  return chosen;
}
/** Whether MILLRACE_ONEDNN_ISA admits integers of an instruction set, by which tests run each one that a processor has. */
bool admitted(const char* isa) {
  const char* only = std::getenv("MILLRACE_ONEDNN_ISA");
  return !only || std::strcmp(only, isa) == 0;
}

const IntegerTiles& chooseIntegers() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool vnni = avx512() && __builtin_cpu_supports("avx512vnni");
#if defined(MILLRACE_AMX)
  if (admitted("amxint8") && vnni && mayUseTiles(TileProducts::int8)) return amxint8::integers;
#endif
  if (admitted("avx512vnni") && vnni) return avx512vnni::integers;
  if (admitted("avx2") && __builtin_cpu_supports("avx2")) return avx2::integers;
#endif
  return base::integers;
}
}  // namespace

const IntegerTiles& integerTiles() {
  static const IntegerTiles& chosen = chooseIntegers();
  return chosen;
}

const Loops& loops() { return *choice().table; }
const char* loopsIsa() { return choice().isa; }

const AttentionLoops* attentionLoops() {
#if defined(__x86_64__)
  static const bool usable = vectorBf16();
  return usable ? &avx512bf16::table : nullptr;
#else
  return nullptr;
#endif
}

}  // namespace millrace
