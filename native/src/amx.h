#pragma once

namespace millrace {

/** What an AMX unit multiplies. */
enum class TileProducts { int8, bf16 };

/**
 * Whether this process may multiply in AMX tiles. The processor has to have them, and the system has to grant their
 * state, which Linux does on request (from 5.16) to a process and all its threads from then on.
 */
bool mayUseTiles(TileProducts products);

}  // namespace millrace
