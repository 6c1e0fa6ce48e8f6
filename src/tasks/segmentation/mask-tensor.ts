import type { Tensor3D } from '@tensorflow/tfjs-core';
import { tensor3d } from '../../base/tfjs-core.js';
import { type ClassRange, withClassRange } from '../../data/class-range.js';
import type { MaskedSample } from '../../data/types.js';

/** The masks of samples as one tensor: int32 [batch, height, width], class ids, 255 for ignored. */
export function maskTensor(samples: readonly Pick<MaskedSample, 'width' | 'height' | 'mask'>[]): Tensor3D {
  const { width, height } = samples[0]!;
  const ids = new Int32Array(samples.length * width * height);
  samples.forEach(({ mask }, i) => {
    ids.set(mask, i * width * height);
  });
  return maskTensorOf(samples, ids);
}

/** The masks of samples of one size, from their ids; their range is found unless it is known. */
export function maskTensorOf(
  samples: readonly Pick<MaskedSample, 'width' | 'height'>[],
  ids: Int32Array,
  range?: ClassRange,
): Tensor3D {
  const { width, height } = samples[0]!;
  return withClassRange(range ?? ids, () => tensor3d(ids, [samples.length, height, width], 'int32'));
}
