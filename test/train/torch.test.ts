import { readFileSync } from 'node:fs';
import {
  assertLoss,
  assertMetrics,
  assertOptimizer,
  assertSet,
  assertSoftScores,
  type Golden,
  LOSSES,
  OPTIMIZERS,
} from './against-torch.js';

// Made by golden/make_torch.py with seed 1; test/peers/torch/train.test.ts runs it with others.
const golden = JSON.parse(readFileSync(new URL('golden/torch.json', import.meta.url), 'utf8')) as Golden;

describe('losses and optimisers, against numbers of torch', () => {
  for (const name of LOSSES) it(`${name}: value and gradient`, () => assertLoss(golden, name));
  it('set: value and gradients', () => assertSet(golden));
  for (const absent of ['omit', 'count'] as const)
    it(`soft scores, absent classes: ${absent}`, () => assertSoftScores(golden, absent));
  it('hard scores', () => assertMetrics(golden));
  for (const name of Object.keys(OPTIMIZERS)) it(`${name}: ten steps`, () => assertOptimizer(golden, name));
});
