import assert from 'node:assert/strict';
import { z } from 'zod';
import { flags } from '../../src/cli/flags.js';
import { peekAt } from '../../src/cli/peek.js';
import { chosenAdapter } from '../../src/experiment/adapter-flags.js';
import { comparedFlag, sizeFlags } from '../../src/experiment/compared-adapters.js';
import { dataFlags } from '../../src/experiment/data-flags.js';
import { domainFlags } from '../../src/experiment/scoring-flags.js';
import { searchFlags } from '../../src/experiment/search-flags.js';
import { modelFlags, runFlags, trainingFlags } from '../../src/experiment/training-flags.js';

const about = { name: 'demo', description: '' };

function notesOf(
  commandLine: { readonly notes: readonly string[] } | { readonly show: string },
): readonly string[] {
  assert('notes' in commandLine);
  return commandLine.notes;
}

describe('flags that nothing reads', () => {
  const training = (line: string) => {
    const argv = line.split(' ');
    const adapter = chosenAdapter(peekAt(argv));
    const groups = {
      Data: dataFlags,
      Model: { ...modelFlags, ...adapter.modelFlags },
      Adapter: adapter.flags,
      Training: trainingFlags,
      Run: runFlags,
    };
    return notesOf(flags(argv, groups, about));
  };

  for (const [line, note] of [
    ['--rank 8 --mode full', '--rank: ignored: --mode full trains no adapter'],
    ['--alpha 8 --adapter none', '--alpha: ignored: --mode head trains no adapter'],
    ['--r-block 8 --adapter localized_lora --mode head', '--r-block: ignored: --mode head trains no adapter'],
    ['--momentum 0.5', '--momentum: ignored: adamw has no momentum'],
    ['--lr-seg-head 1e-2', '--lr-seg-head: ignored: --lr is the rate of all parameters; see --separate-lr'],
    ['--lr 1e-2 --separate-lr', '--lr: ignored: --separate-lr replaces it'],
    [
      '--lr-vit-backbone 1e-2 --separate-lr --mode head',
      '--lr-vit-backbone: ignored: --mode head trains the head alone',
    ],
    [
      '--freeze-epochs 2 --mode head',
      '--freeze-epochs: ignored: --mode head trains the head alone throughout',
    ],
    ['--cache-dir x', '--cache-dir: ignored: --cache memory has no folder'],
    ['--shrink keep-test', '--shrink: ignored: --data-percentage 1 shrinks nothing'],
  ] as const)
    it(`are said: ${line}`, () => assert.deepEqual(training(line), [note]));

  it('are not said where they are read', () => {
    const read =
      '--rank 8 --momentum 0.5 --optimizer sgd --separate-lr --lr-seg-head 1e-2 --freeze-epochs 2 --cache disk --cache-dir x --shrink all --data-percentage 0.5';
    assert.deepEqual(training(read), []);
  });

  it('are said by a search, a study and a scoring', () => {
    const search = '--backbone-frozen --targets key --storage memory:// --heartbeat 5'.split(' ');
    assert.deepEqual(notesOf(flags(search, searchFlags(peekAt(search)), about)), [
      '--heartbeat: ignored: --storage memory:// ends with its process',
      '--targets: ignored: --backbone-frozen trains the head without an adapter',
    ]);
    const study = {
      A: { loraType: comparedFlag, ...sizeFlags({ rank: z.int(), rBlock: z.int().optional() }) },
    };
    assert.deepEqual(notesOf(flags('--lora-type lora,head --rank 2 --r-block 2'.split(' '), study, about)), [
      '--r-block: ignored: --lora-type lora,head has no such size',
    ]);
    const scoring = '--test-domains in_domain --style neon'.split(' ');
    assert.deepEqual(notesOf(flags(scoring, { A: domainFlags }, about)), [
      '--style: ignored: --test-domains in_domain has no styles',
    ]);
  });

  it('are refused where nothing could be meant: adapters without one', () => {
    assert.throws(() => training('--adapter none --mode adapters'), {
      name: 'UserError',
      message: '--mode: expected one of head, full, got "adapters"',
    });
  });
});
