import { LOSSES, type LossName } from '../../../src/train/losses/loss-named.js';
import {
  assertLoss,
  assertOptimizer,
  assertSoftScores,
  type Golden,
  OPTIMIZERS,
} from '../../train/against-torch.js';
import { needsPython } from '../python.js';
import { TORCH } from './requirements.js';

for (const seed of [2, 3])
  describe(`losses, soft scores and optimisers beside torch, seed ${seed}`, () => {
    let golden: Golden;
    before(async function () {
      const python = await needsPython(this, 'torch', TORCH);
      golden = await python.json(new URL('../../train/golden/make_torch.py', import.meta.url), [
        String(seed),
      ]);
    });

    for (const name of Object.keys(LOSSES) as LossName[])
      it(`${name}: value and gradient`, () => assertLoss(golden, name));
    for (const absent of ['omit', 'count'] as const)
      it(`soft scores, absent classes: ${absent}`, () => assertSoftScores(golden, absent));
    for (const name of Object.keys(OPTIMIZERS)) it(`${name}: ten steps`, () => assertOptimizer(golden, name));
  });
