import { registerAttention } from './attention.js';
import { registerGelu } from './gelu.js';
import { registerLayerNorm } from './layer-norm.js';
import { registerOverlap } from './overlap.js';

/** Registers this package's fused operations on the webgpu engine, in WGSL; the others run in plain tfjs. */
export function registerWebgpuKernels(): void {
  registerAttention();
  registerGelu();
  registerLayerNorm();
  registerOverlap();
}
