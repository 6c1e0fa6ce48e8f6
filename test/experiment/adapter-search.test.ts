import assert from 'node:assert/strict';
import { adapterSearch } from '../../src/experiment/adapter-search.js';
import type { Trial } from '../../src/study/trial.js';

/** Suggests the last choice of each, and notes what was asked for. */
function lastChoices() {
  const asked: Record<string, readonly unknown[]> = {};
  const params: Record<string, unknown> = {};
  const trial = {
    params,
    suggestCategorical: (name: string, choices: readonly unknown[]) => {
      asked[name] = choices;
      params[name] = choices.at(-1);
      return choices.at(-1);
    },
  };
  return { asked, trial: trial as unknown as Trial };
}

describe('adapterSearch', () => {
  const names = (settings: Parameters<typeof adapterSearch>[0], hidden = 128) => {
    const { asked, trial } = lastChoices();
    const search = adapterSearch(settings, hidden);
    search.suggest(trial);
    assert.deepEqual(Object.keys(search.first), Object.keys(asked));
    return asked;
  };

  it('searches no rate of what does not train', () => {
    const head = { loraType: 'lora', mode: 'head' } as const;
    assert.deepEqual(Object.keys(names({ ...head, separateLr: true })), ['lr_seg_head', 'weight_decay']);
    assert.deepEqual(Object.keys(names({ ...head, separateLr: false })), ['lr', 'weight_decay']);
    assert.deepEqual(Object.keys(names({ loraType: 'lora', mode: 'full', separateLr: true })), [
      'lr_vit_backbone',
      'lr_seg_head',
      'weight_decay',
    ]);
  });

  it('leaves out ranks that the width does not allow', () => {
    const asked = names({ loraType: 'localized_lora', mode: 'adapters', separateLr: false }, 12);
    assert.deepEqual(
      [asked['r_block'], asked['num_blocks']],
      [
        [2, 4, 8],
        [2, 4],
      ],
    );
    assert.deepEqual(
      names({ loraType: 'lora', mode: 'adapters', separateLr: false }, 12)['lora_rank'],
      [4, 8],
    );
  });

  it('searches after how many epochs more than the head trains, where it is asked to', () => {
    const settings = {
      loraType: 'lora',
      mode: 'adapters',
      separateLr: false,
      freezeEpochs: [2, 5, 10],
    } as const;
    assert.deepEqual(names(settings)['freeze_epochs'], [2, 5, 10]);
    const { trial } = lastChoices();
    const search = adapterSearch(settings, 128);
    assert.equal(search.first['freeze_epochs'], 2);
    assert.equal(search.suggest(trial).freezeEpochs, 10);
    assert.equal(search.chosen(trial.params).freezeEpochs, 10);
    const without = adapterSearch({ ...settings, freezeEpochs: undefined }, 128);
    assert.equal('freezeEpochs' in without.suggest(lastChoices().trial), false);
  });
});
