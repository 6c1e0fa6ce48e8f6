import assert from 'node:assert/strict';
import { memory, onesLike, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
import { from, lastValueFrom, of } from 'rxjs';
import { evaluate } from '../../operators/evaluate.js';
import { prefetch } from '../../operators/prefetch.js';
import type { Extras } from '../../src/model/loss.js';
import type { Pass } from '../../src/model/model.js';
import { crossEntropy } from '../../src/tasks/segmentation/losses/cross-entropy.js';
import { segmentationMetrics } from '../../src/tasks/segmentation/metrics/segmentation-metrics.js';
import { SIZE, tinyBatch, tinyModel, tinyPlans } from '../train/tiny.js';

describe('evaluate', () => {
  const metrics = segmentationMetrics({ classes: 3, loss: crossEntropy() });
  const batches = () =>
    prefetch(tinyPlans({ count: 3, epochs: 1, batchSize: 2 }), (plan) => of(tinyBatch(plan)), { ahead: 1 });

  it('counts the samples, and starts anew with each subscription', async () => {
    const model = tinyModel();
    const scores$ = evaluate(model, batches(), metrics);
    const first = await lastValueFrom(scores$);
    assert.equal(first.images, 3);
    assert.deepEqual(await lastValueFrom(scores$), first);
    model.dispose();
  });

  it('gives metrics what the model says beside its outputs, and frees it', async () => {
    const model = tinyModel();
    const before = memory().numTensors;
    const said: number[][] = [];
    const talking = {
      ...model,
      forward: (images: Tensor, pass: Pass = {}) => {
        pass.extras?.({ shape: tensor1d(images.shape) });
        return model.forward(images);
      },
    };
    const hearing = () => ({
      add: async (_outputs: Tensor, _targets: Tensor, extras?: Extras) => {
        said.push([...extras!['shape']!.dataSync()]);
      },
      scores: () => ({ loss: 0 }),
    });
    await lastValueFrom(evaluate(talking, batches(), hearing));
    assert.deepEqual(said, [
      [2, SIZE, SIZE, 3],
      [1, SIZE, SIZE, 3],
    ]);
    assert.equal(memory().numTensors, before);
    model.dispose();
  });

  it('frees its tensors when the model throws', async () => {
    const before = memory().numTensors;
    const model = {
      forward: (images: Parameters<typeof onesLike>[0]) => {
        onesLike(images);
        throw new Error('broken');
      },
    };
    await assert.rejects(lastValueFrom(from(evaluate(model as never, batches(), metrics))), /broken/);
    assert.equal(memory().numTensors, before);
  });
});
