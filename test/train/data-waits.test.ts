import assert from 'node:assert/strict';
import type { Batch, Tensors } from '../../src/data/batch.js';
import { noteLoad, noteRender, noteSample, type SampleNotes } from '../../src/data/load-notes.js';
import { DataWaits } from '../../src/train/data-waits.js';

const batchOf = (
  samples: readonly SampleNotes[],
  { waitSeconds = 0, loadSeconds = 1, ready = 1, render = 0 } = {},
): Batch<Tensors, Tensors> => {
  const plans = samples.map((_, index) => ({ item: { stem: `${index}` }, seed: 1, epoch: 1, index }));
  plans.forEach((plan, i) => noteSample(plan, samples[i]!));
  const plan = { epoch: 1, batch: 0, batches: 1, position: 0, samples: plans };
  const batch = { plan, inputs: {}, targets: {}, dispose: () => {} };
  noteLoad(batch, { waitSeconds, loadSeconds, ready });
  noteRender(batch, render);
  return batch;
};
const decoded: SampleNotes = { seconds: 2, cache: 'none' };

describe('how data came to a training', () => {
  it('is summed over an epoch, and begins anew', () => {
    const waits = new DataWaits();
    const first = waits.add(
      batchOf([decoded, { seconds: 0.5, cache: 'hit' }], { waitSeconds: 3, ready: 2, render: 0.25 }),
    );
    assert.deepEqual(first, {
      waitSeconds: 3,
      loadSeconds: 1,
      ready: 2,
      decodeSeconds: 2.5,
      renderSeconds: 0.25,
      hits: 1,
      kept: 0,
      full: 0,
    });
    waits.add(
      batchOf(
        [
          { seconds: 1, cache: 'kept' },
          { seconds: 1, cache: 'full' },
        ],
        { ready: 3 },
      ),
    );
    assert.deepEqual(waits.endEpoch(1, 100), {
      data: {
        waitSeconds: 3,
        loadSeconds: 2,
        ready: 2.5,
        decodeSeconds: 4.5,
        renderSeconds: 0.25,
        hits: 1,
        kept: 1,
        full: 1,
      },
      warnings: [],
    });
    assert.deepEqual(waits.endEpoch(2, 100), { warnings: [] });
  });

  it('is unknown for a batch that prefetch did not hand out', () => {
    const batch = { ...batchOf([decoded]) };
    assert.equal(new DataWaits().add(batch), undefined);
  });

  const warningOf = (samples: readonly SampleNotes[], stepSeconds: number, notes: object) => {
    const waits = new DataWaits();
    waits.add(batchOf(samples, notes));
    return waits.endEpoch(2, stepSeconds).warnings.map(({ code, message }) => `${code}: ${message}`);
  };

  it('is worth one warning above a tenth of an epoch and five seconds', () => {
    const waits = new DataWaits();
    for (const expected of [1, 0]) {
      waits.add(batchOf([decoded], { waitSeconds: 6 }));
      assert.equal(waits.endEpoch(1, 50).warnings.length, expected);
    }
    assert.deepEqual(warningOf([decoded], 60, { waitSeconds: 6 }), []);
    assert.deepEqual(warningOf([decoded], 1, { waitSeconds: 4.9 }), []);
  });

  it('is blamed on the slowest stage, with the flag that helps', () => {
    const waits = { waitSeconds: 10 };
    const of = (samples: readonly SampleNotes[], notes = {}) =>
      warningOf(samples, 30, { ...waits, ...notes })[0]!;
    assert.equal(
      of([decoded]),
      'data-wait: training waited for data for 25 % of epoch 2, 10 s: decoding takes longest; give --cache memory or disk, or --decode fast',
    );
    assert.match(
      of([{ seconds: 2, cache: 'full' }]),
      /no room for 1 pictures; raise --cache-gib, or give --cache disk$/,
    );
    assert.match(of([{ seconds: 2, cache: 'kept' }]), /--decode fast shortens the first$/);
    assert.match(
      of([{ seconds: 2, cache: 'hit' }]),
      /reading the cache takes longest; give --cache memory, or --ahead 4$/,
    );
    assert.match(
      of([decoded], { render: 3 }),
      /augmentation takes longest; give fewer of --augment, or --ahead 4$/,
    );
  });
});
