import assert from 'node:assert/strict';
import { type AskedAdapter, checkAdapters } from '../../src/experiment/check-adapters.js';
import type { TrainedRun } from '../../src/experiment/trained-runs.js';

const run = (name: string, adapter: object | null) =>
  ({ name, path: `models/${name}`, settings: { model: { adapter } } }) as unknown as TrainedRun;
const lora = run('lora_42', { name: 'lora', settings: { rank: 32, alpha: 16 } });
const localized = run('localized_42', {
  name: 'localized_lora',
  settings: { blocks: 8, blockRank: 16, alpha: 16 },
});
const head = run('head_42', null);

describe('checkAdapters', () => {
  it('uses what the checkpoints say, and reports it', () => {
    assert.deepEqual(checkAdapters([lora], {}), []);
    assert.deepEqual(checkAdapters([lora, localized], { alpha: 16, rBlock: undefined }), [
      '--alpha 16: not needed; the checkpoints say the same',
    ]);
    assert.deepEqual(checkAdapters([localized], { rBlock: 16, numBlocksPerRow: 8, rank: 4 }), [
      '--rank 4: ignored: localized_42 has no such setting',
      '--r-block 16: not needed; the checkpoints say the same',
      '--num-blocks-per-row 8: not needed; the checkpoints say the same',
    ]);
    assert.deepEqual(checkAdapters([lora, head], { rank: 32 }), [
      '--rank 32: ignored: head_42 has no such setting',
    ]);
  });

  it('refuses what a checkpoint contradicts', () => {
    const refuses = (asked: AskedAdapter, message: string) =>
      assert.throws(() => checkAdapters([lora, localized], asked), { name: 'UserError', message });
    refuses(
      { rank: 4 },
      '--rank 4: expected 32, with which lora_42 was trained; leave it out, or choose other runs',
    );
    refuses(
      { numBlocksPerRow: 4 },
      '--num-blocks-per-row 4: expected 8, with which localized_42 was trained; leave it out, or choose other runs',
    );
  });
});
