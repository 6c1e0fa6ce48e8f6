import assert from 'node:assert/strict';
import { lastValueFrom, of, throwError } from 'rxjs';
import { batch } from '../../operators/batch.js';
import { evaluate } from '../../operators/evaluate.js';
import { prefetch } from '../../operators/prefetch.js';
import { trainStep } from '../../operators/train-step.js';
import type { MaskedSample } from '../../src/data/types.js';
import { memoryHint } from '../../src/engine/out-of-memory.js';
import { crossEntropy } from '../../src/tasks/segmentation/losses/cross-entropy.js';
import { segmentationMetrics } from '../../src/tasks/segmentation/metrics/segmentation-metrics.js';
import { CLASSES, free, tinyBatch, tinyModel, tinyPlans, tinyRun } from '../train/tiny.js';

describe('a batch that memory does not hold', () => {
  const [plan] = tinyPlans({ batchSize: 2, count: 2 });
  const hint =
    'out of memory at a batch of 2 images of 4×4 (Array buffer allocation failed); lower --batch-size, --image-size or --ahead';
  /** A model whose forward pass finds no memory. */
  const starved = () => {
    const model = tinyModel();
    model.forward = () => {
      throw new RangeError('Array buffer allocation failed');
    };
    return model;
  };

  it('is a hint at --batch-size where it is trained on', async () => {
    const model = starved();
    const run = tinyRun({ model });
    const made = tinyBatch(plan!);
    await assert.rejects(lastValueFrom(of(made).pipe(trainStep(run))), {
      name: 'UserError',
      message: hint,
    });
    made.dispose();
    free(run);
  });

  it('and where it is scored', async () => {
    const model = starved();
    const batches$ = prefetch([plan!], (each) => of(tinyBatch(each)), { ahead: 0 });
    const scores$ = evaluate(
      model,
      batches$,
      segmentationMetrics({ classes: CLASSES, loss: crossEntropy() }),
    );
    await assert.rejects(lastValueFrom(scores$), { name: 'UserError', message: hint });
    model.dispose();
  });

  it('and where it is made', async () => {
    const side = 2 ** 20;
    const sample = { plan: plan!.samples[0]!, width: side, height: side, mask: new Uint8Array() };
    const huge: MaskedSample<Float32Array> = { ...sample, image: new Float32Array() };
    await assert.rejects(lastValueFrom(of(huge).pipe(batch(plan!))), {
      name: 'UserError',
      message: /^out of memory at a batch of 1 images of 1048576×1048576 \(.*\); lower --batch-size/,
    });
  });

  it('knows what the engines say, and leaves other errors be', () => {
    for (const said of [
      'Add: out of memory',
      'Invalid typed array length: 9e15',
      'Aborted(Cannot enlarge memory)',
      'Aborted(). Build with -sASSERTIONS for more info.',
    ])
      assert.match(String(memoryHint(new Error(said), [1, 2, 3])), /lower --batch-size/, said);
    const bug = new TypeError('x is not a function');
    assert.equal(memoryHint(bug, [1, 2, 3]), bug);
    assert.equal(memoryHint(undefined, [1, 2, 3]), undefined);
    return assert.rejects(lastValueFrom(throwError(() => memoryHint(bug, [1]))), bug);
  });
});
