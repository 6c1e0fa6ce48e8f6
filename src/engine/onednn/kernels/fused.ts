import { kernel, rowsOf } from '../kernel.js';

const float = (shape: readonly number[]) => ({ shape, dtype: 'float32' as const });

kernel<'x' | 'gain' | 'bias', { readonly epsilon: number; readonly passes: boolean }>(
  'LayerNorm',
  ({ inputs: { x, gain, bias }, attrs: { epsilon, passes }, backend }) => {
    const one = float([...x.shape.slice(0, -1), 1]);
    const outputs = [float(x.shape), one, one];
    const made = backend.run('LayerNorm', [x, gain, bias], outputs, rowsOf(x), [epsilon]);
    return [...made, ...(passes ? [backend.alias(x, x.shape, x.dtype)] : [])];
  },
);

kernel<'dy' | 'x' | 'gain' | 'average' | 'scale' | 'passed'>(
  'LayerNormGrad',
  ({ inputs: { dy, x, gain, average, scale, passed }, backend }) =>
    backend.run('LayerNormGrad', [dy, x, gain, average, scale, passed], [float(x.shape)], rowsOf(x)),
);

kernel<'q' | 'k' | 'v', { readonly heads: number }>(
  'Attention',
  ({ inputs: { q, k, v }, attrs: { heads }, backend }) => {
    const [batch, tokens] = q.shape as [number, number, number];
    const outputs = [float(q.shape), float([batch, heads, tokens, 1])];
    return backend.run('Attention', [q, k, v], outputs, [...q.shape, heads]);
  },
);

kernel<'dy' | 'q' | 'k' | 'v' | 'logSum', { readonly heads: number }>(
  'AttentionGrad',
  ({ inputs: { dy, q, k, v, logSum }, attrs: { heads }, backend }) => {
    const outputs = [q, k, v].map(({ shape }) => float(shape));
    return backend.run('AttentionGrad', [dy, q, k, v, logSum], outputs, [...q.shape, heads]);
  },
);

kernel<'logits' | 'masks'>('Overlap', ({ inputs: { logits, masks }, backend }) => {
  const classes = logits.shape.at(-1)!;
  return backend.run('Overlap', [logits, masks], [float([3, classes])], [classes]);
});

kernel<'logits' | 'masks'>('CrossEntropy', ({ inputs: { logits, masks }, backend }) =>
  backend.run('CrossEntropy', [logits, masks], [float([])], [logits.shape.at(-1)!]),
);

for (const name of ['OverlapGrad', 'CrossEntropyGrad'])
  kernel<'dy' | 'logits' | 'masks'>(name, ({ inputs: { dy, logits, masks }, backend }) =>
    backend.run(name, [dy, logits, masks], [float(logits.shape)], [logits.shape.at(-1)!]),
  );

kernel<'x', { readonly factor: number }>('Upsample', ({ inputs: { x }, attrs: { factor }, backend }) => {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const shape = [batch, height * factor, width * factor, channels];
  return backend.run('Upsample', [x], [float(shape)], [...x.shape, factor]);
});

kernel<'dy', { readonly factor: number }>(
  'UpsampleGrad',
  ({ inputs: { dy }, attrs: { factor }, backend }) => {
    const [batch, tall, wide, channels] = dy.shape as [number, number, number, number];
    const shape = [batch, tall / factor, wide / factor, channels];
    return backend.run('UpsampleGrad', [dy], [float(shape)], [...shape, factor]);
  },
);

kernel<'x'>('Patches', ({ inputs: { x }, backend }) => {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  return backend.run('Patches', [x], [float([batch, height, width, 9 * channels])], x.shape);
});

kernel<'x' | 'weight' | 'bias'>('Conv3x3', ({ inputs: { x, weight, bias }, backend }) => {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const [inputs, outputs] = [9 * channels, weight.shape[1]!];
  const [patches] = backend.run('Patches', [x], [float([batch, height, width, inputs])], x.shape);
  const y = float([batch, height, width, outputs]);
  const result = backend.run(
    'Linear',
    [patches, weight, bias],
    [y],
    [batch * height * width, inputs, outputs],
  );
  backend.disposeData(patches!.dataId);
  return result;
});

kernel<'dy'>('PatchesGrad', ({ inputs: { dy }, backend }) => {
  const shape = [...dy.shape.slice(0, 3), dy.shape[3]! / 9];
  return backend.run('PatchesGrad', [dy], [float(shape)], shape);
});

interface AdamAttrs {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly step: number;
}

kernel<'gradient' | 'm' | 'v', AdamAttrs>('AdamUpdate', ({ inputs: { gradient, m, v }, attrs, backend }) => {
  const outputs = [gradient, m, v].map(({ shape }) => float(shape));
  const floats = [attrs.beta1, attrs.beta2, attrs.epsilon, attrs.step];
  return backend.run('AdamUpdate', [gradient, m, v], outputs, [], floats);
});
