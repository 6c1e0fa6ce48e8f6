import type { TensorInfo } from '@tensorflow/tfjs-core';
import { float, kernel, rowsOf } from '../kernel.js';

kernel<'x' | 'gain' | 'bias', { readonly epsilon: number; readonly passes: boolean }>(
  'LayerNorm',
  ({ inputs: { x, gain, bias }, attrs: { epsilon, passes }, backend }) => {
    const one = float([...x.shape.slice(0, -1), 1]);
    const outputs = backend.run('LayerNorm', {
      inputs: { x, gain, bias },
      results: { y: float(x.shape), mean: one, scale: one },
      numbers: { ...rowsOf(x), epsilon },
    });
    return [...outputs, ...(passes ? [backend.alias(x, x.shape, x.dtype)] : [])];
  },
);

kernel<'dy' | 'x' | 'gain' | 'average' | 'scale' | 'passed'>(
  'LayerNormGrad',
  ({ inputs: { dy, x, gain, average: mean, scale, passed }, backend }) =>
    backend.run('LayerNormGrad', {
      inputs: { dy, x, gain, mean, scale, passed },
      results: { dx: float(x.shape) },
      numbers: rowsOf(x),
    }),
);

/** The sizes of attention, whose queries are [batch, tokens, width]. */
function attentionSizes({ shape }: TensorInfo, heads: number) {
  const [batch, tokens, width] = shape as [number, number, number];
  return { batch, tokens, width, heads };
}

kernel<'q' | 'k' | 'v', { readonly heads: number }>(
  'Attention',
  ({ inputs: { q, k, v }, attrs: { heads }, backend }) => {
    const numbers = attentionSizes(q, heads);
    const results = { y: float(q.shape), logSum: float([numbers.batch, heads, numbers.tokens, 1]) };
    return backend.run('Attention', { inputs: { q, k, v }, results, numbers });
  },
);

kernel<'dy' | 'q' | 'k' | 'v' | 'logSum', { readonly heads: number }>(
  'AttentionGrad',
  ({ inputs: { dy, q, k, v, logSum }, attrs: { heads }, backend }) =>
    backend.run('AttentionGrad', {
      inputs: { dy, q, k, v, logSum },
      results: { dq: float(q.shape), dk: float(k.shape), dv: float(v.shape) },
      numbers: attentionSizes(q, heads),
    }),
);

kernel<'logits' | 'masks'>('Overlap', ({ inputs: { logits, masks }, backend }) => {
  const classes = logits.shape.at(-1)!;
  const results = { sums: float([3, classes]) };
  return backend.run('Overlap', { inputs: { logits, masks }, results, numbers: { classes } });
});

kernel<'logits' | 'masks'>('CrossEntropy', ({ inputs: { logits, masks }, backend }) =>
  backend.run('CrossEntropy', {
    inputs: { logits, masks },
    results: { loss: float([]) },
    numbers: { classes: logits.shape.at(-1)! },
  }),
);

for (const name of ['OverlapGrad', 'CrossEntropyGrad'])
  kernel<'dy' | 'logits' | 'masks'>(name, ({ inputs: { dy, logits, masks }, backend }) =>
    backend.run(name, {
      inputs: { dy, logits, masks },
      results: { dx: float(logits.shape) },
      numbers: { classes: logits.shape.at(-1)! },
    }),
  );

/** The sizes of a tensor of images. */
function imageSizes(shape: readonly number[]) {
  const [batch, height, width, channels] = shape as [number, number, number, number];
  return { batch, height, width, channels };
}

kernel<'x', { readonly factor: number }>('Upsample', ({ inputs: { x }, attrs: { factor }, backend }) => {
  const small = imageSizes(x.shape);
  const { batch, height, width, channels } = small;
  const results = { y: float([batch, height * factor, width * factor, channels]) };
  return backend.run('Upsample', { inputs: { x }, results, numbers: { ...small, factor } });
});

kernel<'dy', { readonly factor: number }>(
  'UpsampleGrad',
  ({ inputs: { dy }, attrs: { factor }, backend }) => {
    const { batch, height, width, channels } = imageSizes(dy.shape);
    const shape = [batch, height / factor, width / factor, channels];
    const numbers = { ...imageSizes(shape), factor };
    return backend.run('UpsampleGrad', { inputs: { dy }, results: { dx: float(shape) }, numbers });
  },
);

/** The sizes of a convolution of images with this weight, whose last dimension is the result's. */
const convolutionSizes = (images: readonly number[], out: number) => ({ ...imageSizes(images), out });

kernel<'x' | 'weight' | 'bias'>('Conv3x3', ({ inputs: { x, weight, bias }, backend }) => {
  const out = weight.shape[1]!;
  return backend.run('Conv3x3', {
    inputs: { x, weight, bias },
    results: { y: float([...x.shape.slice(0, 3), out]) },
    numbers: convolutionSizes(x.shape, out),
  });
});

kernel<'dy' | 'weight'>('Conv3x3GradInput', ({ inputs: { dy, weight }, backend }) => {
  const shape = [...dy.shape.slice(0, 3), weight.shape[0]! / 9];
  return backend.run('Conv3x3GradInput', {
    inputs: { dy, weight },
    results: { dx: float(shape) },
    numbers: convolutionSizes(shape, dy.shape[3]!),
  });
});

kernel<'x' | 'dy'>('Conv3x3GradWeight', ({ inputs: { x, dy }, backend }) => {
  const [channels, out] = [x.shape[3]!, dy.shape[3]!];
  return backend.run('Conv3x3GradWeight', {
    inputs: { x, dy },
    results: { dWeight: float([9 * channels, out]) },
    numbers: convolutionSizes(x.shape, out),
  });
});

interface AdamAttrs {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly step: number;
}

kernel<'gradient' | 'm' | 'v', AdamAttrs>('AdamUpdate', ({ inputs: { gradient, m, v }, attrs, backend }) => {
  const { beta1, beta2, epsilon, step } = attrs;
  return backend.run('AdamUpdate', {
    inputs: { gradient, m, v },
    results: { update: float(gradient.shape), m: float(m.shape), v: float(v.shape) },
    numbers: { beta1, beta2, epsilon, step },
  });
});
