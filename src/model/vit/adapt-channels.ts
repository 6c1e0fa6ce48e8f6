import { UserError } from '../../base/errors.js';
import { repeatedNormalization } from '../../data/images/normalization.js';
import type { Pretrained } from './pretrained-of.js';

/**
 * A patch embedding for other channels than it was trained with, by the rule of timm's `adapt_input_conv`: for one channel
 * the weights of red, green and blue are summed; for N they are repeated in turn, the last round cut off, and scaled by
 * 3 / N, so that a grey picture has about the tokens that it had.
 *
 * @param weight [out, 3, height, width], as PyTorch lays it out
 */
export function adaptedPatches(
  weight: Float32Array,
  shape: readonly number[],
  channels: number,
): Float32Array {
  const [out, from, ...sides] = shape as [number, number, number, number];
  const area = sides.reduce((a, b) => a * b, 1);
  const result = new Float32Array(out * channels * area);
  const scale = Math.fround(from / channels);
  for (let o = 0; o < out; o++)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < area; i++) {
        const at = (source: number) => weight[(o * from + source) * area + i]!;
        result[(o * channels + c) * area + i] =
          channels > 1
            ? at(c % from) * scale
            : Array.from({ length: from }, (_, s) => at(s)).reduce((a, b) => Math.fround(a + b));
      }
  return result;
}

/**
 * A pretrained ViT for pictures of so many channels; itself where it has them. Means and deviations of pixels are repeated as
 * the weights are, and those of one channel are the means of all.
 *
 * @throws UserError for one of neither 3 channels nor as many as are asked for: there is no rule for it.
 */
export function withChannels(pretrained: Pretrained, channels: number | undefined): Pretrained {
  const { path, config, weights, normalization } = pretrained;
  const own = config.num_channels;
  if (channels === undefined || channels === own) return pretrained;
  if (own !== 3)
    throw new UserError(
      `${path}: expected a model of 3 channels, which can be adapted to ${channels}, got one of ${own}; give --channels ${own}, or another model`,
      { path, channels: own },
    );
  const patch = weights.get('patch.weight')!;
  const data = adaptedPatches(Float32Array.from(patch.data), patch.shape, channels);
  const shape = patch.shape.with(1, channels);
  return {
    ...pretrained,
    config: { ...config, num_channels: channels },
    weights: new Map([...weights, ['patch.weight', { dtype: 'F32', shape, data }]]),
    ...(normalization && { normalization: repeatedNormalization(normalization, channels) }),
  };
}
