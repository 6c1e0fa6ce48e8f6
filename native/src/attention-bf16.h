#pragma once
#include <cstddef>
#include <cstdint>

namespace millrace {

/** One head of one image in bf16: `tokens` rows of `size` numbers, `stride` apart in memory. `size` is even. */
struct AttentionHead {
  size_t tokens, size, stride;
  const uint16_t *q, *k, *v;
  /** Of the scores: 1/√size. */
  float scale;
};

/**
 * Attention of a head with everything between q, k, v and the result in the caches of one core: scores and weights
 * are never in memory. Statistics are f32; the factors of every product are bf16, their sums f32.
 */
struct AttentionLoops {
  const char* isa;
  /** Bytes of scratch that a call needs, 64-byte aligned. */
  size_t (*scratch)(size_t tokens, size_t size);
  /** y and, for the gradient, the logarithm of each row's Σ eˢ. */
  void (*forward)(const AttentionHead& head, uint16_t* y, float* logSum, void* scratch);
  /** dq, dk, dv; the weights are computed anew from `logSum`. */
  void (*backward)(const AttentionHead& head, const uint16_t* dy, const float* logSum, uint16_t* dq, uint16_t* dk,
                   uint16_t* dv, void* scratch);
};

/** What this processor has; null where oneDNN's products are the best. MILLRACE_ONEDNN_ISA names another one. */
const AttentionLoops* attentionLoops();

}  // namespace millrace
