import { setBackend } from '@tensorflow/tfjs-core';
import { TORCH } from '../../../bench/peers/torch.js';
import { useEngine } from '../../../src/engine/engine.js';
import { needOnednn } from '../../native/onednn.js';
import {
  assertLoss,
  assertMetrics,
  assertOptimizer,
  assertSet,
  assertSoftScores,
  type Golden,
  LOSSES,
  OPTIMIZERS,
} from '../../train/against-torch.js';
import { needsPython } from '../python.js';

// test/train/torch.test.ts holds the cpu engine to seed 1.
for (const [engine, seed] of [
  ['cpu', 2],
  ['wasm', 3],
  ['onednn', 4],
] as const)
  describe(`losses, scores and optimisers on ${engine} beside torch`, () => {
    let golden: Golden;
    if (engine === 'onednn') before(needOnednn);
    before(async function () {
      const python = await needsPython(this, 'torch', TORCH);
      const script = new URL('../../train/golden/make_torch.py', import.meta.url);
      golden = await python.json(script, [String(seed)]);
      await useEngine(engine, { precision: 'f32' });
    });
    after(() => setBackend('cpu'));

    for (const name of LOSSES) it(`${name}: value and gradient`, () => assertLoss(golden, name));
    it('set: value and gradients', () => assertSet(golden));
    for (const absent of ['omit', 'count'] as const)
      it(`soft scores, absent classes: ${absent}`, () => assertSoftScores(golden, absent));
    it('hard scores', () => assertMetrics(golden));
    for (const name of Object.keys(OPTIMIZERS)) it(`${name}: ten steps`, () => assertOptimizer(golden, name));
  });
