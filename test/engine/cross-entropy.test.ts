import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dispose, grad, mul, setBackend, tensor } from '@tensorflow/tfjs-core';
import { useEngine } from '../../src/engine/engine.js';
import { softmaxCrossEntropy } from '../../src/engine/ops/cross-entropy.js';
import { needOnednn } from '../native/onednn.js';

// Made by golden/make_cross_entropy.py.
const golden = JSON.parse(readFileSync(new URL('golden/cross-entropy.json', import.meta.url), 'utf8')) as {
  logits: number[];
  masks: number[];
  cases: { scale: number; loss: number; gradient: number[] }[];
};

describe('softmaxCrossEntropy', () => {
  after(() => setBackend('cpu'));
  for (const engine of ['cpu', 'wasm', 'onednn'] as const)
    for (const { scale, loss, gradient } of golden.cases)
      it(`is torch's on ${engine}, value and gradient, of logits × ${scale}, ignored pixels apart`, async function () {
        if (engine === 'onednn') needOnednn.call(this);
        await useEngine(engine, engine === 'onednn' ? { precision: 'f32' } : {});
        const masks = tensor(golden.masks, [1, 3, 3], 'int32');
        const logits = tensor(golden.logits, [1, 3, 3, 4]);
        const scaled = mul(logits, scale);
        const value = softmaxCrossEntropy(scaled, masks);
        const slope = grad((x) => softmaxCrossEntropy(x, masks))(scaled);
        const [got] = value.dataSync();
        assert.ok(Math.abs(got! - loss) <= 2e-6 * Math.abs(loss), `${got}, torch ${loss}`);
        slope
          .dataSync()
          .forEach((x, i) =>
            assert.ok(Math.abs(x - gradient[i]!) < 1e-6, `${i}: ${x}, torch ${gradient[i]}`),
          );
        dispose([masks, logits, scaled, value, slope]);
      });
});
