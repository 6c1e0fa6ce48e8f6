import assert from 'node:assert/strict';
import { ADAPTERS } from '../../../bench/adapters.js';
import { TORCH } from '../../../bench/peers/torch.js';
import { flops, products } from '../../../bench/products.js';
import { needsPython } from '../python.js';

const script = new URL('../../../bench/peers/torch_bench.py', import.meta.url);

describe('the PyTorch twin of the benches', () => {
  let counted: Record<string, number>;
  before(async function () {
    const python = await needsPython(this, 'torch', TORCH);
    counted = await python.json(script, ['count', '--model', 'deit-tiny', '--batch', '1', '--json']);
  });

  for (const command of ['train-step', 'inference'])
    for (const adapter of ADAPTERS)
      it(`${command}, ${adapter}: torch counts the operations that we count`, () => {
        const torch = counted[`${command} ${adapter}`]!;
        const ours = flops(products('deit-tiny', adapter, 1, command === 'train-step'));
        assert.ok(Math.abs(torch / ours - 1) < 1e-3, `torch ${torch}, ours ${ours}`);
      });
});
