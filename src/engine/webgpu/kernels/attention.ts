import type { TensorInfo } from '@tensorflow/tfjs-core';
import { getKernel } from '../../../base/tfjs-core.js';
import type { WebgpuBackend } from '../backend.js';
import { kernel, runProgram, sizeOf, THREADS } from './program.js';

/** Keys, or queries, that a workgroup holds at a time. */
const TILE = 16;

/**
 * What the three programs share: a thread has one row of `mine`, the workgroup goes over all rows of `others` in tiles of
 * shared memory. `load` fills a tile, `use` works on row j of it.
 */
const loop = (tiles: readonly string[], load: string, use: string) => `
  for (var first = 0; first < uniforms.tokens; first += ${TILE}) {
    for (var i = i32(localIndex); i < ${TILE} * SIZE; i += ${THREADS}) {
      let token = min(first + i / SIZE, uniforms.tokens - 1);
      let place = (image * uniforms.tokens + token) * uniforms.width + head * SIZE + i % SIZE;
      ${tiles.map((name) => `${name}Tile[i] = ${name}[place];`).join(' ')}
    }
    ${load}
    workgroupBarrier();
    let count = min(${TILE}, uniforms.tokens - first);
    for (var j = 0; j < count; j++) { ${use} }
    workgroupBarrier();
  }
`;
const tile = (...names: string[]) =>
  names.map((name) => `var<workgroup> ${name}Tile : array<f32, ${TILE} * SIZE>;`).join('\n');
const rows = (...names: string[]) => `
  let blocks = (uniforms.tokens + ${THREADS - 1}) / ${THREADS};
  let plane = min(group() / blocks, uniforms.planes - 1);
  let image = plane / uniforms.heads;
  let head = plane % uniforms.heads;
  let token = (group() % blocks) * ${THREADS} + i32(localIndex);
  let present = token < uniforms.tokens && group() / blocks < uniforms.planes;
  let own = min(token, uniforms.tokens - 1);
  let at = (image * uniforms.tokens + own) * uniforms.width + head * SIZE;
  let side = plane * uniforms.tokens + own;
  ${names.map((name) => `var my_${name} : array<f32, SIZE>; for (var c = 0; c < SIZE; c++) { my_${name}[c] = ${name}[at + c]; }`).join('\n')}
`;
const dot = (mine: string, other: string) =>
  `var s_${mine}_${other} = 0.0; for (var c = 0; c < SIZE; c++) { s_${mine}_${other} += my_${mine}[c] * ${other}Tile[j * SIZE + c]; }`;

/** Softmax is summed as it goes, by the largest score so far; then log Σ eˢ of each row, behind the results. */
const FORWARD = `
  ${tile('k', 'v')}
  fn main(index : i32) {
    ${rows('q')}
    var sum : array<f32, SIZE>;
    var largest = -3.4e38;
    var weight = 0.0;
    ${loop(
      ['k', 'v'],
      '',
      `${dot('q', 'k')}
      let score = s_q_k * uniforms.scale;
      let most = max(largest, score);
      let shrink = exp(largest - most);
      let p = exp(score - most);
      weight = weight * shrink + p;
      largest = most;
      for (var c = 0; c < SIZE; c++) { sum[c] = sum[c] * shrink + p * vTile[j * SIZE + c]; }`,
    )}
    if (present) {
      for (var c = 0; c < SIZE; c++) { result[at + c] = sum[c] / weight; }
      result[uniforms.behind + side] = largest + log(weight);
    }
  }
`;

/** dq = scale·(Σ P∘dP·k − D·Σ P·k) with D = Σ P∘dP of each row, which lies behind the results. */
const QUERIES = `
  ${tile('k', 'v')}
  fn main(index : i32) {
    ${rows('q', 'dy')}
    var weighted : array<f32, SIZE>;
    var plain : array<f32, SIZE>;
    var along = 0.0;
    let logOfSum = logSum[side];
    ${loop(
      ['k', 'v'],
      '',
      `${dot('q', 'k')} ${dot('dy', 'v')}
      let p = exp(s_q_k * uniforms.scale - logOfSum);
      let pd = p * s_dy_v;
      along += pd;
      for (var c = 0; c < SIZE; c++) {
        weighted[c] += pd * kTile[j * SIZE + c];
        plain[c] += p * kTile[j * SIZE + c];
      }`,
    )}
    if (present) {
      for (var c = 0; c < SIZE; c++) { result[at + c] = uniforms.scale * (weighted[c] - along * plain[c]); }
      result[uniforms.behind + side] = along;
    }
  }
`;

/** dk = scale·Σ P∘(dP − D)·q over the queries, and, behind all of it, dv = Σ P·dy. */
const KEYS = `
  ${tile('q', 'dy')}
  var<workgroup> sideTile : array<vec2<f32>, ${TILE}>;
  fn main(index : i32) {
    ${rows('k', 'v')}
    var dk : array<f32, SIZE>;
    var dv : array<f32, SIZE>;
    ${loop(
      ['q', 'dy'],
      `if (localIndex < ${TILE}u) {
        let other = plane * uniforms.tokens + min(first + i32(localIndex), uniforms.tokens - 1);
        sideTile[localIndex] = vec2<f32>(logSum[other], along[other]);
      }`,
      `${dot('k', 'q')} ${dot('v', 'dy')}
      let p = exp(s_k_q * uniforms.scale - sideTile[j].x);
      let ds = p * (s_v_dy - sideTile[j].y) * uniforms.scale;
      for (var c = 0; c < SIZE; c++) {
        dk[c] += ds * qTile[j * SIZE + c];
        dv[c] += p * dyTile[j * SIZE + c];
      }`,
    )}
    if (present) {
      for (var c = 0; c < SIZE; c++) {
        result[at + c] = dk[c];
        result[uniforms.behind + at + c] = dv[c];
      }
    }
  }
`;

/** Attention in one program and its gradient in two, without a matrix of scores in memory; see `attention`. */
export function registerAttention(): void {
  kernel<{ heads: number }>('Attention', (inputs, { heads }, backend) => {
    const { q, k, v } = inputs as { q: TensorInfo; k: TensorInfo; v: TensorInfo };
    const [batch, tokens] = q.shape as [number, number, number];
    const { behind, shared } = layout(q, heads);
    const sides = batch * heads * tokens;
    const shape = [behind + sides];
    const all = runProgram(backend, {
      name: 'attention',
      inputs: { q, k, v },
      shape,
      code: FORWARD,
      ...shared,
    });
    return parts(backend, all, [q.shape, [batch, heads, tokens, 1]]);
  });
  kernel<{ heads: number }>('AttentionGrad', (inputs, { heads }, backend) => {
    const { dy, q, k, v, logSum } = inputs as Record<'dy' | 'q' | 'k' | 'v' | 'logSum', TensorInfo>;
    const { behind, shared } = layout(q, heads);
    const given = { q, k, v, dy, logSum };
    const name = 'attention gradient of queries';
    const first = runProgram(backend, {
      name,
      inputs: given,
      shape: [behind + sizeOf(logSum.shape)],
      code: QUERIES,
      ...shared,
    });
    const [dq, along] = parts(backend, first, [q.shape, logSum.shape]) as [TensorInfo, TensorInfo];
    const second = runProgram(backend, {
      name: 'attention gradient of keys',
      inputs: { ...given, along },
      shape: [2 * behind],
      code: KEYS,
      ...shared,
    });
    backend.disposeData(along.dataId);
    return [dq, ...parts(backend, second, [q.shape, q.shape])];
  });
}

/** What is the same for the three programs; `behind` is where their second result begins. */
function layout(q: TensorInfo, heads: number) {
  const [batch, tokens, width] = q.shape as [number, number, number];
  const behind = sizeOf(q.shape);
  const size = width / heads;
  const shared = {
    groups: batch * heads * Math.ceil(tokens / THREADS),
    constants: { SIZE: size },
    numbers: { tokens, width, heads, planes: batch * heads, behind },
    floats: { scale: 1 / Math.sqrt(size) },
  };
  return { behind, shared };
}

/** Cuts a program's results, one behind the other, into tensors, and frees them. */
function parts(
  backend: WebgpuBackend,
  all: TensorInfo,
  shapes: readonly (readonly number[])[],
): TensorInfo[] {
  const { kernelFunc } = getKernel('Slice', 'webgpu');
  let begin = 0;
  const cut = shapes.map((shape) => {
    const size = sizeOf(shape);
    const attrs = { begin: [begin], size: [size] };
    begin += size;
    const part = kernelFunc({ inputs: { x: all }, attrs, backend }) as TensorInfo;
    return { ...part, shape: [...shape] };
  });
  backend.disposeData(all.dataId);
  return cut;
}
