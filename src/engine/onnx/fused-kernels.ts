import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type OnnxKernel, reshaped, transposed } from './kernels.js';
import type { TraceBackend } from './trace-backend.js';

const TO_CHANNELS_FIRST = [0, 3, 1, 2];
const TO_CHANNELS_LAST = [0, 2, 3, 1];

/** The fused operations that ONNX has, too; the others are recorded as what they consist of. */
export const FUSED_KERNELS: Readonly<Record<string, OnnxKernel>> = {
  LayerNorm: (to, { x, gain, bias }, { epsilon, passes }) => {
    const attributes = { axis: -1, epsilon: { float: epsilon } };
    const y = to.node('LayerNormalization', [x!, gain!, bias!], x!.shape, attributes);
    const side = () => to.unused([...x!.shape.slice(0, -1), 1]);
    return [y, side(), side(), ...(passes ? [to.make(to.nameOf(x!), x!.shape)] : [])];
  },

  Attention: (to, { q, k, v }, { heads }) => {
    const [batch, tokens, width] = q!.shape as [number, number, number];
    const size = width / heads;
    const split = (x: TensorInfo, perm: readonly number[]) =>
      transposed(to, reshaped(to, x, [batch, tokens, heads, size]), perm);
    const scaled = to.node('Mul', [q!, to.number(1 / Math.sqrt(size))], q!.shape);
    const square = [batch, heads, tokens, tokens];
    const scores = to.node('MatMul', [split(scaled, [0, 2, 1, 3]), split(k!, [0, 2, 3, 1])], square);
    const weights = to.node('Softmax', [scores], square, { axis: -1 });
    const parts = to.node('MatMul', [weights, split(v!, [0, 2, 1, 3])], [batch, heads, tokens, size]);
    const joined = reshaped(to, transposed(to, parts, [0, 2, 1, 3]), [batch, tokens, width]);
    return [joined, to.unused([batch, heads, tokens, 1])];
  },

  Conv3x3: (to, { x, weight, bias }) => {
    const [batch, height, width, channels] = x!.shape as [number, number, number, number];
    const outputs = weight!.shape[1]!;
    const kernel = transposed(to, reshaped(to, weight!, [3, 3, channels, outputs]), [3, 2, 0, 1]);
    const shape = [batch, outputs, height, width];
    return channelsLast(to, x!, (first) =>
      to.node('Conv', [first, kernel, bias!], shape, { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
    );
  },

  Upsample: (to, { x }, { factor }) => {
    const [batch, height, width, channels] = x!.shape as [number, number, number, number];
    const attributes = {
      mode: { text: 'linear' },
      coordinate_transformation_mode: { text: 'half_pixel' },
    };
    const scales = to.floats([1, 1, factor, factor]);
    const shape = [batch, channels, height * factor, width * factor];
    return channelsLast(to, x!, (first) => to.node('Resize', [first, '', scales], shape, attributes));
  },
};

/** Runs what takes [batch, channels, height, width] on [batch, height, width, channels]. */
function channelsLast(to: TraceBackend, x: TensorInfo, run: (first: TensorInfo) => TensorInfo): TensorInfo {
  return transposed(to, run(transposed(to, x, TO_CHANNELS_FIRST)), TO_CHANNELS_LAST);
}
