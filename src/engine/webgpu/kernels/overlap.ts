import type { TensorInfo } from '@tensorflow/tfjs-core';
import { getKernel } from '../../../base/tfjs-core.js';
import { kernel, runProgram, sizeOf, THREADS } from './program.js';

/** Pixels that a thread adds up before the sums of all threads are added. */
const PIXELS = 16;

/** The probabilities of a pixel's classes, in `p`. */
const SOFTMAX = `
  var<private> p : array<f32, CLASSES>;
  fn softmax(pixel : i32) {
    var largest = logits[pixel * CLASSES];
    for (var c = 1; c < CLASSES; c++) { largest = max(largest, logits[pixel * CLASSES + c]); }
    var weight = 0.0;
    for (var c = 0; c < CLASSES; c++) {
      p[c] = exp(logits[pixel * CLASSES + c] - largest);
      weight += p[c];
    }
    for (var c = 0; c < CLASSES; c++) { p[c] /= weight; }
  }
`;

/** Σp·t, Σp and Σt of each workgroup's pixels. */
const SUMS = `${SOFTMAX}
  fn main(index : i32) {
    var sums : array<f32, 3 * CLASSES>;
    for (var pixel = group() * ${THREADS} + i32(localIndex); pixel < uniforms.pixels; pixel += uniforms.stride) {
      let id = masks[pixel];
      if (id != 255) {
        softmax(pixel);
        for (var c = 0; c < CLASSES; c++) {
          let t = select(0.0, 1.0, c == id);
          sums[c] += p[c] * t;
          sums[CLASSES + c] += p[c];
          sums[2 * CLASSES + c] += t;
        }
      }
    }
    for (var k = 0; k < 3 * CLASSES; k++) {
      let sum = total(sums[k]);
      if (localIndex == 0u && group() < uniforms.groups) { result[group() * 3 * CLASSES + k] = sum; }
    }
  }
`;

/** p∘(g − Σ p∘g) with g = t·dI + dP; 0 where the pixel is ignored. */
const GRADIENT = `${SOFTMAX}
  fn main(index : i32) {
    let pixel = group() * ${THREADS} + i32(localIndex);
    if (pixel < uniforms.pixels) {
      let id = masks[pixel];
      softmax(pixel);
      var along = 0.0;
      for (var c = 0; c < CLASSES; c++) { along += p[c] * (dy[CLASSES + c] + select(0.0, dy[c], c == id)); }
      for (var c = 0; c < CLASSES; c++) {
        let g = dy[CLASSES + c] + select(0.0, dy[c], c == id);
        result[pixel * CLASSES + c] = select(p[c] * (g - along), 0.0, id == 255);
      }
    }
  }
`;

/** The sums of the Dice losses in one pass over the pixels, and their gradient in another; see `overlap`. */
export function registerOverlap(): void {
  kernel('Overlap', (inputs, _attrs, backend) => {
    const { logits, masks } = inputs as { logits: TensorInfo; masks: TensorInfo };
    const [classes, pixels] = [logits.shape.at(-1)!, sizeOf(masks.shape)];
    const groups = Math.ceil(pixels / (THREADS * PIXELS));
    const partial = runProgram(backend, {
      name: 'overlap',
      inputs: { logits, masks },
      shape: [groups, 3 * classes],
      groups,
      code: SUMS,
      constants: { CLASSES: classes },
      numbers: { pixels, groups, stride: groups * THREADS },
    });
    const attrs = { axis: [0], keepDims: false };
    const { kernelFunc } = getKernel('Sum', 'webgpu');
    const sums = kernelFunc({ inputs: { x: partial }, attrs, backend }) as TensorInfo;
    backend.disposeData(partial.dataId);
    return { ...sums, shape: [3, classes] };
  });
  kernel('OverlapGrad', (inputs, _attrs, backend) => {
    const { dy, logits, masks } = inputs as { dy: TensorInfo; logits: TensorInfo; masks: TensorInfo };
    const pixels = sizeOf(masks.shape);
    return runProgram(backend, {
      name: 'overlap gradient',
      inputs: { dy, logits, masks },
      shape: logits.shape,
      groups: Math.ceil(pixels / THREADS),
      code: GRADIENT,
      constants: { CLASSES: logits.shape.at(-1)! },
      numbers: { pixels },
    });
  });
}
