import type { TensorInfo } from '@tensorflow/tfjs-core';
import { kernel, runProgram, sizeOf, THREADS } from './program.js';

/** Φ by Abramowitz and Stegun's 7.1.26, whose error is below 1.5e-7; it keeps its digits where Φ is small. */
const CDF = `
  fn cdf(x : f32) -> f32 {
    let z = abs(x) * 0.7071067811865476;
    let t = 1.0 / (1.0 + 0.3275911 * z);
    let tail = 0.5 * exp(-z * z) * t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return select(tail, 1.0 - tail, x > 0.0);
  }
`;
const each = (value: string) => `${CDF}
  fn main(index : i32) {
    let at = group() * ${THREADS} + i32(localIndex);
    if (at < uniforms.count) { result[at] = ${value}; }
  }
`;

/** GELU and its gradient, each in one program; see `gelu`. */
export function registerGelu(): void {
  const elementwise = ({ shape }: TensorInfo) => {
    const count = sizeOf(shape);
    return { shape, groups: Math.ceil(count / THREADS), numbers: { count } };
  };
  kernel('Gelu', ({ x }, _attrs, backend) =>
    runProgram(backend, {
      name: 'gelu',
      inputs: { x: x! },
      code: each('x[at] * cdf(x[at])'),
      ...elementwise(x!),
    }),
  );
  kernel('GeluGrad', ({ dy, x }, _attrs, backend) =>
    runProgram(backend, {
      name: 'gelu gradient',
      inputs: { dy: dy!, x: x! },
      code: each('dy[at] * (cdf(x[at]) + x[at] * exp(-0.5 * x[at] * x[at]) * 0.3989422804014327)'),
      ...elementwise(x!),
    }),
  );
}
