import assert from 'node:assert/strict';
import { adapters } from '../../src/adapters/adapters.js';
import { vitConfig } from '../../src/model/vit/config.js';
import { createSegmenter } from '../../src/tasks/segmentation/segmenter.js';

describe('an adapter', () => {
  const config = vitConfig.parse({
    hidden_size: 12,
    num_hidden_layers: 1,
    num_attention_heads: 3,
    intermediate_size: 24,
    image_size: 8,
    patch_size: 4,
  });
  const inject = (name: string, settings: Readonly<Record<string, unknown>>) => {
    const model = createSegmenter(config, { classes: 2, seed: 1 });
    try {
      model.inject(adapters.make(name, settings), 1);
      return model.parameters.count('adapter');
    } finally {
      model.dispose();
    }
  };

  it('refuses a rank above the width of what it adapts, before it allocates', () => {
    for (const [name, settings, flag] of [
      ['lora', { rank: 99_999_999 }, 'rank'],
      ['serial_lora', { rank: 13 }, 'rank'],
      ['localized_lora', { blocks: 2, blockRank: 13 }, 'blockRank'],
    ] as const)
      assert.throws(() => inject(name, settings), {
        name: 'UserError',
        message: new RegExp(
          `^${flag}: expected at most the width of \\w+, 12, got \\d+; see --(rank|r-block)$`,
        ),
      });
    assert.equal(inject('lora', { rank: 12 }), 2 * 2 * 12 * 12);
    assert.equal(inject('lora', { rank: 24, targets: ['fc1'] }), 24 * (12 + 24));
  });

  it('names each target and each block once', () => {
    assert.throws(() => inject('lora', { rank: 2, targets: ['query', 'value', 'query'] }), {
      name: 'UserError',
      message: 'targets: expected each once, got query,value,query; see --targets',
    });
    assert.throws(() => inject('serial_lora', { rank: 2, layers: [0, 0] }), {
      name: 'UserError',
      message: 'layers: expected each once, got 0,0; see --layers',
    });
  });
});
