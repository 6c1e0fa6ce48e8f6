#pragma once
#include "pool.h"

namespace millrace {

/**
 * Moves numbers that are rarely read into a temporary file: the buffer is replaced by one of the same bytes that the
 * system reads from the file where they are touched, and its memory goes back to the pool. Called again, it lets go of
 * what was read since.
 *
 * The file lies in TMPDIR (/var/tmp where that is not set) without a name, and goes with the last owner. Small buffers,
 * and all where the file cannot be had (no such folder, no room), stay in memory. What others hold of the buffer before
 * stays theirs: nobody may write to it later and expect the new one to change.
 */
void pageOut(Buffer& buffer);

/** Bytes of the numbers that lie in files. */
size_t bytesInFiles();

}  // namespace millrace
