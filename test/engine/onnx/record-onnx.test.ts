import assert from 'node:assert/strict';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import {
  add,
  broadcastTo,
  concat,
  getBackend,
  matMul,
  mean,
  type Tensor,
  tensor,
  tensor3d,
  topk,
} from '@tensorflow/tfjs-core';
import { UserError } from '../../../src/base/errors.js';
import { recordOnnx } from '../../../src/engine/onnx/record-onnx.js';
import { layerNorm } from '../../../src/engine/ops/layer-norm.js';

/** The fields of a message: bytes, or numbers. */
function fields(bytes: Uint8Array): Map<number, (Uint8Array | number)[]> {
  const reader = new BinaryReader(bytes);
  const found = new Map<number, (Uint8Array | number)[]>();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const value =
      type === WireType.LengthDelimited
        ? reader.bytes()
        : type === WireType.Bit32
          ? reader.float()
          : Number(reader.int64());
    found.set(field, [...(found.get(field) ?? []), value]);
  }
  return found;
}
const parts = (message: Map<number, (Uint8Array | number)[]>, field: number) =>
  (message.get(field) ?? []) as Uint8Array[];
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe('recordOnnx', () => {
  const record = (forward: (x: Tensor) => Tensor, weights: { name: string; value: Tensor }[] = []) =>
    recordOnnx(forward, { shape: [2, 3], weights });

  it('writes what the function computes, with a free batch, the weights by name, and no dead nodes', async () => {
    const [gain, bias] = [tensor([1, 2, 3]), tensor([0, 0, 1])];
    const row = tensor3d([5, 6, 7], [1, 1, 3]);
    const engine = getBackend();
    const bytes = await record(
      (x) => {
        const all = concat([broadcastTo(row, [x.shape[0]!, 1, 3]), x], 1);
        matMul(all, all, false, true); // that nothing reads
        return mean(add(layerNorm(all, gain, bias, 1e-6), 1), 1);
      },
      [
        { name: 'norm.weight', value: gain },
        { name: 'norm.bias', value: bias },
        { name: 'unread', value: row },
      ],
    );
    assert.equal(getBackend(), engine);
    for (const value of [gain, bias, row]) value.dispose();
    const model = fields(bytes);
    assert.deepEqual(model.get(1), [8]);
    assert.deepEqual(fields(parts(model, 8)[0]!).get(2), [17]);
    const graph = fields(parts(model, 7)[0]!);
    const operations = parts(graph, 1).map((node) => text(parts(fields(node), 4)[0]!));
    assert.deepEqual(operations, [
      'Shape',
      'Concat',
      'Tile',
      'Concat',
      'LayerNormalization',
      'Add',
      'ReduceMean',
      'Identity',
    ]);
    const weights = new Map(
      parts(graph, 5).map((bytes) => {
        const tensor = fields(bytes);
        return [text(parts(tensor, 8)[0]!), tensor];
      }),
    );
    const stored = parts(weights.get('norm.weight')!, 9)[0]!.slice();
    assert.deepEqual([...new Float32Array(stored.buffer)], [1, 2, 3]);
    assert.deepEqual(weights.get('norm.weight')!.get(1), [3]);
    const value = (field: number) => {
      const info = fields(parts(graph, field)[0]!);
      const shape = fields(parts(fields(parts(fields(parts(info, 2)[0]!), 1)[0]!), 2)[0]!);
      const sizes = parts(shape, 1).map((bytes) => {
        const size = fields(bytes);
        return size.has(2) ? text(parts(size, 2)[0]!) : size.get(1)![0];
      });
      return [text(parts(info, 1)[0]!), ...sizes];
    };
    assert.deepEqual(value(11), ['pixel_values', 'batch', 2, 3]);
    assert.deepEqual(value(12), ['logits', 'batch', 3]);
  });

  it('refuses, by name, what ONNX has no counterpart for here, and leaves the engine as it was', async () => {
    const engine = getBackend();
    for (const [forward, message] of [
      [(x: Tensor) => topk(x, 1).values, /operations that can be exported, got TopK; export it with/],
      [(x: Tensor) => mean(x, 0), /expected each picture to be computed alone, got a sum over the batch/],
      [
        (x: Tensor) => add(x, x.dataSync()[0]!),
        /steps do not depend on the numbers, got one that reads them/,
      ],
    ] as const) {
      await assert.rejects(record(forward), (error) => {
        assert.ok(error instanceof UserError, String(error));
        assert.match(error.message, message);
        return true;
      });
      assert.equal(getBackend(), engine);
    }
  });
});
