import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flags } from '../../src/cli/flags.js';
import { peekAt } from '../../src/cli/peek.js';
import { chosenAdapter } from '../../src/experiment/adapter-flags.js';
import { PRESETS, presetFlag, presetFlagsOf } from '../../src/experiment/presets.js';
import { modelFlags, trainingFlags } from '../../src/experiment/training-flags.js';

function read(line: string): { config: Readonly<Record<string, unknown>>; notes: readonly string[] } {
  const argv = line.split(' ').filter(Boolean);
  const adapter = chosenAdapter(peekAt(argv));
  const commandLine = flags(
    argv,
    {
      Model: { ...modelFlags, ...adapter.modelFlags },
      Adapter: adapter.flags,
      Training: { preset: presetFlag, ...trainingFlags },
    },
    { name: 'demo', description: '' },
  );
  assert('config' in commandLine);
  return { config: { ...commandLine.config }, notes: commandLine.notes };
}

const names = Object.keys(PRESETS) as (keyof typeof PRESETS)[];

describe('--preset', () => {
  for (const name of names)
    describe(name, () => {
      it('is the same config as its flags, and its name', () => {
        const { config, notes } = read(`--preset ${name}`);
        assert.deepEqual(config, { ...read(presetFlagsOf(name)).config, preset: name });
        assert.deepEqual(notes, []);
      });

      it('is in docs/presets.md with its flags', () => {
        const text = readFileSync(new URL('../../docs/presets.md', import.meta.url), 'utf8');
        assert.ok(text.includes(`| \`${name}\` | \`${presetFlagsOf(name)}\` |`), presetFlagsOf(name));
      });
    });

  it('is overridden by a flag, and by a file, with a line', () => {
    const { config, notes } = read('--preset best --lr-seg-head 1e-3 --augment flip,rotate --ema 0.95');
    assert.equal(config['lrSegHead'], 1e-3);
    assert.deepEqual(config['augment'], ['flip', 'rotate']);
    assert.deepEqual(notes.toSorted(), [
      '--augment flip,rotate overrides light of --preset best',
      '--lr-seg-head 0.001 overrides 0.002 of --preset best',
    ]);
    const dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    const file = join(dir, 'flags.yaml');
    writeFileSync(file, 'preset: fast\nhead: linear\n');
    const fromFile = read(`--config ${file}`);
    rmSync(dir, { recursive: true });
    assert.deepEqual([fromFile.config['head'], fromFile.config['trunkCache']], ['linear', 'memory']);
    assert.deepEqual(fromFile.notes, [`${file}: head linear overrides study of --preset fast`]);
  });

  it('trains an adapter where its mode is overridden', () => {
    const { config, notes } = read('--preset best --mode adapters --rank 16');
    assert.deepEqual([config['rank'], config['lrVitBackbone']], [16, 5e-4]);
    assert.deepEqual(notes, ['--mode adapters overrides full of --preset best']);
    assert.match(
      read('--preset best --rank 16').notes.join('\n'),
      /rank: ignored: --mode full trains no adapter/,
    );
  });

  it('refuses a name that is none', () => {
    assert.throws(() => read('--preset bets'), {
      name: 'UserError',
      message: '--preset: expected one of study, fast, best, got "bets"; did you mean best?',
    });
  });
});

describe('--head mask', () => {
  it('is trained by the loss of its queries, unless another is given', () => {
    const lossOf = (line: string) => read(line).config['loss'];
    assert.deepEqual(
      ['', '--head detail', '--head mask', '--head mask --loss dice', '--loss dice --head mask'].map(lossOf),
      ['log-cosh-dice', 'log-cosh-dice', 'set', 'dice', 'dice'],
    );
  });

  it('is so with a preset, too, with a line', () => {
    const { config, notes } = read('--preset best --head mask');
    assert.equal(config['loss'], 'set');
    assert.deepEqual(notes.toSorted(), [
      '--head mask overrides detail of --preset best',
      '--head mask: loss set overrides dice+cross-entropy of --preset best',
    ]);
  });
});
