#include <cstdlib>
#include <cstring>

#include "amx.h"
#include "attention-bf16.h"
#include "integer-tiles.h"
#include "loops.h"
#include "product-tiles.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
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
#if defined(MILLRACE_AMX)
namespace amxbf16 {
extern const AttentionLoops table;
extern const ProductTiles products;
}
#endif
namespace avx512vnni {
extern const IntegerTiles integers;
}
#if defined(MILLRACE_AMX)
namespace amxint8 {
extern const IntegerTiles integers;
}
#endif
#elif defined(__aarch64__)
namespace dotprod {
extern const IntegerTiles integers;
}
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

bool vectorBf16() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return avx512() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 5));
}
#elif defined(__aarch64__)
bool dotProducts() {
#if defined(__linux__)
  return getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
#else
  return true;  // Each processor of Apple's that runs macOS has them.
#endif
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

/** The one instruction set to use, by which tests run each one that a processor has; null for the best. */
const char* only() { return std::getenv("MILLRACE_ONEDNN_ISA"); }
bool admitted(const char* isa) { return !only() || std::strcmp(only(), isa) == 0; }

const IntegerTiles& chooseIntegers() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool vnni = avx512() && __builtin_cpu_supports("avx512vnni");
#if defined(MILLRACE_AMX)
  if (admitted("amxint8") && vnni && mayUseTiles(TileProducts::int8)) return amxint8::integers;
#endif
  if (admitted("avx512vnni") && vnni) return avx512vnni::integers;
  if (admitted("avx2") && __builtin_cpu_supports("avx2")) return avx2::integers;
#elif defined(__aarch64__)
  if (admitted("dotprod") && dotProducts()) return dotprod::integers;
#endif
  return base::integers;
}

const ProductTiles* chooseProducts() {
#if defined(MILLRACE_AMX) && defined(__x86_64__)
  __builtin_cpu_init();
  if (admitted("amxbf16") && vectorBf16() && mayUseTiles(TileProducts::bf16)) return &amxbf16::products;
#endif
  return nullptr;
}

const AttentionLoops* chooseAttention() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool tiles = mayUseTiles(TileProducts::bf16);
#if defined(MILLRACE_AMX)
  if (admitted("amxbf16") && vectorBf16() && tiles) return &amxbf16::table;
#endif
  // With tiles oneDNN's products are faster than vector ones of our own.
  if (admitted("avx512bf16") && vectorBf16() && (!tiles || only())) return &avx512bf16::table;
#endif
  return nullptr;
}
}  // namespace

const IntegerTiles& integerTiles() {
  static const IntegerTiles& chosen = chooseIntegers();
  return chosen;
}

const Loops& loops() { return *choice().table; }
const char* loopsIsa() { return choice().isa; }

const ProductTiles* productTiles() {
  static const ProductTiles* const chosen = chooseProducts();
  return chosen;
}

const AttentionLoops* attentionLoops() {
  static const AttentionLoops* const chosen = chooseAttention();
  return chosen;
}

}  // namespace millrace
