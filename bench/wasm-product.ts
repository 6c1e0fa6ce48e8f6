// Times the wasm engine's matrix products against tfjs's own, in turn: node --import tsx bench/wasm-product.ts
// [threads]. Shapes are those of one training step on the fixture's ViT, 8 pictures. Prints one JSON line a shape.

import '@tensorflow/tfjs-backend-wasm';
import { backend, getKernel, randomNormal, type TensorInfo, tidy } from '@tensorflow/tfjs-core';
import { useEngine } from '../src/engine/engine.js';

const SHAPES = [
  { what: 'forward', a: [1160, 128], b: [128, 512], transposeA: false, transposeB: false },
  { what: 'input gradient', a: [1160, 512], b: [128, 512], transposeA: false, transposeB: true },
  { what: 'weight gradient', a: [1160, 128], b: [1160, 128], transposeA: true, transposeB: false },
  { what: 'attention scores', a: [8, 4, 145, 32], b: [8, 4, 145, 32], transposeA: false, transposeB: true },
  { what: 'attention values', a: [8, 4, 145, 145], b: [8, 4, 145, 32], transposeA: false, transposeB: false },
];

const tfjsProduct = getKernel('BatchMatMul', 'wasm').kernelFunc;
const { threads } = await useEngine('wasm', { threads: Number(process.argv[2] ?? 1) });
const ours = getKernel('BatchMatMul', 'wasm').kernelFunc;

for (const { what, a, b, transposeA, transposeB } of SHAPES) {
  const inputs = tidy(() => ({ a: randomNormal(a), b: randomNormal(b) }));
  const time = (kernel: typeof ours) => {
    const started = performance.now();
    for (let i = 0; i < 5; i++) {
      const out = kernel({ inputs, attrs: { transposeA, transposeB }, backend: backend() }) as TensorInfo;
      backend().disposeData(out.dataId);
    }
    return (performance.now() - started) / 5;
  };
  const rounds = Array.from({ length: 15 }, () => [time(tfjsProduct), time(ours)] as const).slice(2);
  const median = (values: number[]) => values.toSorted((x, y) => x - y)[Math.floor(values.length / 2)]!;
  const ratios = rounds.map(([tfjs, ours]) => tfjs / ours);
  const row = {
    what,
    threads,
    tfjsMs: median(rounds.map(([ms]) => ms)),
    oursMs: median(rounds.map(([, ms]) => ms)),
  };
  process.stdout.write(`${JSON.stringify({ ...row, ratio: median(ratios) })}\n`);
}
