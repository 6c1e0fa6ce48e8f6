#include "amx.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace millrace {

#if defined(__x86_64__) && defined(__linux__)
namespace {

constexpr unsigned kTiles = 1u << 24, kInt8 = 1u << 25, kBf16 = 1u << 22;

/** What CPUID says of tiles, or nothing where the system does not grant their state. */
unsigned grantedTiles() {
  constexpr long kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & kTiles)) return 0;
  return syscall(SYS_arch_prctl, kRequest, kTileData) == 0 ? d : 0;
}

}  // namespace

bool mayUseTiles(TileProducts products) {
  static const unsigned granted = grantedTiles();
  return granted & (products == TileProducts::int8 ? kInt8 : kBf16);
}
#else
bool mayUseTiles(TileProducts) { return false; }
#endif

}  // namespace millrace
