import assert from 'node:assert/strict';
import { memory, onesLike } from '@tensorflow/tfjs-core';
import { from, lastValueFrom, of } from 'rxjs';
import { evaluate } from '../../operators/evaluate.js';
import { prefetch } from '../../operators/prefetch.js';
import { crossEntropy } from '../../src/tasks/segmentation/losses/cross-entropy.js';
import { segmentationMetrics } from '../../src/tasks/segmentation/metrics/segmentation-metrics.js';
import { tinyBatch, tinyModel, tinyPlans } from '../train/tiny.js';

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
