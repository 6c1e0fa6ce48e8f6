import type { TensorInfo } from '@tensorflow/tfjs-core';
import { kernel, runProgram, sizeOf } from './program.js';

/** The place of a thread's workgroup among the rows, and the sum of an expression of i over a row. */
const ROW = `
  let row = min(group(), uniforms.rows - 1);
  let at = row * uniforms.width;
`;
const over = (name: string, expression: string) => `
  var ${name}Part = 0.0;
  for (var i = i32(localIndex); i < uniforms.width; i += 64) { ${name}Part += ${expression}; }
  let ${name} = total(${name}Part) / f32(uniforms.width);
`;
const toRow = (value: string) =>
  `if (localIndex == 0u && group() < uniforms.rows) { result[row] = ${value}; }`;
const toAll = (value: string) => `
  if (group() < uniforms.rows) {
    for (var i = i32(localIndex); i < uniforms.width; i += 64) { result[at + i] = ${value}; }
  }
`;
const main = (...parts: string[]) => `fn main(index : i32) { ${ROW} ${parts.join('\n')} }`;

const AVERAGE = main(over('average', 'x[at + i]'), toRow('average'));
const SCALE = main(
  over('variance', '(x[at + i] - average[row]) * (x[at + i] - average[row])'),
  toRow('inverseSqrt(variance + uniforms.epsilon)'),
);
const NORMAL = main(toAll('(x[at + i] - average[row]) * scale[row] * gain[i] + bias[i]'));
const gradient = (passed: string) =>
  main(
    over('mean', 'dy[at + i] * gain[i]'),
    over('along', 'dy[at + i] * gain[i] * (x[at + i] - average[row]) * scale[row]'),
    toAll(
      `scale[row] * (dy[at + i] * gain[i] - mean - (x[at + i] - average[row]) * scale[row] * along)${passed}`,
    ),
  );

/** One workgroup for each row. */
const rowsOf = ({ shape }: TensorInfo) => {
  const width = shape.at(-1)!;
  const rows = sizeOf(shape) / width;
  return { groups: rows, numbers: { rows, width } };
};

/** LayerNorm in three programs and its gradient in one; see `layerNorm`. */
export function registerLayerNorm(): void {
  kernel<{ epsilon: number; passes: boolean }>('LayerNorm', (inputs, { epsilon, passes }, backend) => {
    const { x, gain, bias } = inputs as { x: TensorInfo; gain: TensorInfo; bias: TensorInfo };
    const shape = [...x.shape.slice(0, -1), 1];
    const rows = rowsOf(x);
    const average = runProgram(backend, { name: 'average', inputs: { x }, shape, code: AVERAGE, ...rows });
    const scale = runProgram(backend, {
      name: 'scale',
      inputs: { x, average },
      shape,
      code: SCALE,
      floats: { epsilon },
      ...rows,
    });
    const all = { x, average, scale, gain, bias };
    const y = runProgram(backend, { name: 'normal', inputs: all, shape: x.shape, code: NORMAL, ...rows });
    if (!passes) return [y, average, scale];
    backend.incRef(x.dataId);
    return [y, average, scale, { dataId: x.dataId, shape: x.shape, dtype: x.dtype }];
  });
  kernel('LayerNormGrad', (inputs, _attrs, backend) => {
    const { dy, x, gain, average, scale, passed } = inputs as Record<string, TensorInfo>;
    return runProgram(backend, {
      name: passed ? 'branch norm gradient' : 'layer norm gradient',
      inputs: {
        dy: dy!,
        x: x!,
        gain: gain!,
        average: average!,
        scale: scale!,
        ...(passed && { passed }),
      },
      shape: x!.shape,
      code: gradient(passed ? ' + passed[at + i]' : ''),
      ...rowsOf(x!),
    });
  });
}
