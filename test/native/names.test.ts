import assert from 'node:assert/strict';
import { setBackend, tensor } from '@tensorflow/tfjs-core';
import '../../src/engine/tfjs.js';
import { inOrder } from '../../src/engine/onednn/arguments.js';
import { BINARY, COMPARE, UNARY } from '../../src/engine/onednn/kernels/elementwise.js';
import { REDUCE } from '../../src/engine/onednn/kernels/reduce.js';
import { needOnednn, runningBackend, startOnednn } from './onednn.js';

const sorted = (names: Iterable<string>) => [...new Set(names)].sort();

describe('the names that the onednn engine and its addon share', () => {
  before(needOnednn);
  before(() => startOnednn('f32'));
  after(() => setBackend('cpu'));

  it('are the same operations on both sides', () => {
    const { enums } = runningBackend();
    assert.deepEqual(sorted(Object.keys(enums.Unary)), sorted(UNARY));
    assert.deepEqual(sorted(Object.keys(enums.Binary)), sorted(BINARY));
    assert.deepEqual(sorted(Object.keys(enums.Compare)), sorted(COMPARE));
    assert.deepEqual(sorted(Object.keys(enums.Reduce)), sorted(Object.values(REDUCE)));
  });

  it('are the same types of tensors, but for bf16, which only the addon knows', () => {
    const backend = runningBackend();
    const here = (['float32', 'int32', 'bool'] as const).map((dtype) => backend.typeOf(dtype));
    const { bf16, ...there } = backend.enums.Type;
    assert.deepEqual(here, Object.values(there));
    assert.equal(typeof bf16, 'number');
    assert.equal(backend.typeOf('string'), undefined);
  });

  it('come with every kernel, each once', () => {
    for (const { name, each, inputs, results, numbers } of runningBackend().addon.about().kernels) {
      assert.ok(results.length + each.results.length > 0, name);
      for (const list of [inputs, results, numbers, each.inputs, each.results, each.numbers])
        assert.deepEqual(sorted(list), [...list].sort(), name);
    }
  });

  it('are asked for with each call: one too few, too many or another is refused', () => {
    const backend = runningBackend();
    const x = tensor([1, 2], [1, 2]);
    const y = { shape: [1, 2], dtype: 'float32' } as const;
    const call = (inputs: object, numbers: object) => () =>
      backend.run('Softmax', { inputs: inputs as never, results: { y }, numbers: numbers as never });
    assert.throws(
      call({ logits: x }, { rows: 1 }),
      /^Error: Softmax: expected the arguments rows, width, got rows; run npm run build:native$/,
    );
    assert.throws(call({ logits: x }, { rows: 1, width: 2, depth: 3 }), /got rows, width, depth/);
    assert.throws(call({ x }, { rows: 1, width: 2 }), /expected the arguments logits, got x/);
    assert.throws(call({}, { rows: 1, width: 2 }), /expected the arguments logits, got none/);
    const [result] = call({ logits: x }, { width: 2, rows: 1 })();
    assert.deepEqual(
      [...(backend.readSync(result!.dataId) as Float32Array)].map((n) => n.toFixed(4)),
      ['0.2689', '0.7311'],
    );
    backend.disposeData(result!.dataId);
    x.dispose();
  });

  it('put values at the places of the addon, whatever the order in which they are written', () => {
    assert.deepEqual(inOrder(['a', 'b', 'c'], { c: 3, a: 1, b: 2 }), [1, 2, 3]);
    assert.deepEqual(inOrder([], undefined), []);
  });
});
