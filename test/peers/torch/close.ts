import assert from 'node:assert/strict';
import type { Tensor } from '@tensorflow/tfjs-core';

/** Asserts that a tensor is torch's within 1e-4, relative to the largest element, and frees it. */
export function close(ours: Tensor, torch: Float32Array, what: string): void {
  const got = ours.dataSync();
  ours.dispose();
  assert.equal(got.length, torch.length, what);
  const largest = torch.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const error = torch.reduce((most, x, i) => Math.max(most, Math.abs(x - got[i]!)), 0) / largest;
  assert.ok(error <= 1e-4, `${what}: relative error ${error}`);
}
