import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import { adapterKind, adapters } from '../../src/adapters/adapters.js';
import { fixture } from '../../src/base/fixture.js';
import { adapterOf } from '../../src/experiment/adapter-flags.js';
import { adapterParameters, matchedFlags } from '../../src/experiment/matched-adapters.js';
import type { AggregatedScores } from '../../src/experiment/score-files.js';
import type { Summary } from '../../src/loggers/summary.js';
import { createSegmenter } from '../../src/tasks/segmentation/segmenter.js';
import { type SharedProcess, sharedProcess } from './run.js';
import { tinyBackbone } from './trained.js';

const vit = {
  hidden_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 48,
  layer_norm_eps: 1e-6,
  image_size: 8,
  patch_size: 4,
  hidden_act: 'gelu' as const,
  num_channels: 3 as const,
};

describe('compare-adapters', () => {
  let dir: string;
  let shared: SharedProcess;
  let backbone: string;
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    backbone = await tinyBackbone(join(dir, 'backbone'));
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });
  const compare = (...args: string[]) => compareIn('out', ...args);
  const compareIn = (out: string, ...args: string[]) =>
    shared.run(
      'compare-adapters',
      [
        '--engine=wasm',
        '--epochs=1',
        `--model-name=${backbone}`,
        '--data-percentage=10%',
        `--output-dir=${out}`,
        ...args,
      ],
      dir,
    );
  const summaryOf = (out: string, path: string) =>
    JSON.parse(readFileSync(join(dir, out, path, 'summary.json'), 'utf8')) as Summary;
  const summary = (path: string) => summaryOf('out', path);

  const readScores = (path: string) =>
    JSON.parse(readFileSync(join(dir, path), 'utf8')) as AggregatedScores<{ readonly miou: number }>[];

  for (const name of adapters.names)
    it(`counts ${name} as the model does, at a size nearest to LoRA's`, () => {
      const model = createSegmenter(vit, { classes: 3, seed: 7 });
      const defaults = Object.fromEntries(
        Object.entries(adapterKind(name).flags).map(([key, type]) => [
          key,
          (type as z.ZodType).safeParse(undefined).data,
        ]),
      );
      const at = (rank: number) => ({
        ...defaults,
        ...matchedFlags(name, {}, { rank, scale: 4 }, model),
        loraType: name,
      });
      const small = adapterOf(at(2));
      const counted = adapterParameters(small, model);
      model.inject(small, 7);
      assert.equal(counted, model.parameters.count('adapter'));
      model.dispose();
      // LoRA of rank 2 on query and value of two blocks: 2 · 2 · 2 · (24 + 24).
      const lora = 384;
      if (adapterKind(name).sizeFlag === undefined) return;
      // The nearest size is at most half a step away, and the first step is what a size of 1 brings.
      const steps: Readonly<Record<string, number>> = { serial_lora: 96, localized_lora: 384, miss: 96 };
      const step = steps[name] ?? 192;
      assert.ok(Math.abs(counted - lora) <= step / 2, `${counted} of ${lora}`);
    });

  it('trains, scores and tells real differences, and trains nothing twice', async () => {
    const args = ['--lora-type=lora,head,shira', '--rank=2', '--random-seed=1,2'];
    const { code, stdout, stderr } = await compare(...args);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^6 runs, 6 to be trained$/m);
    const { adapterParameters: lora, headParameters } = summary('parameters/logs/lora_1');
    assert.equal(summary('parameters/logs/shira_1').adapterParameters, lora);
    assert.match(
      stdout,
      new RegExp(
        `^\\| lora \\| ${lora} \\| ${lora + headParameters} \\| 0.002 \\| 1 \\| \\d+ \\| 0\\.\\d{4} \\(`,
        'm',
      ),
    );
    assert.match(stdout, /mean over 2 seeds \(95 % interval/);
    assert.match(
      stdout,
      /(Better in mIoU than|Worse|No real difference from) .*each at 97\.5 % \(Bonferroni\)\.$/m,
    );
    assert.doesNotMatch(stdout, /Out of the domain/);
    for (const file of ['tables.md', 'miou-by-parameters.png', 'miou-by-parameters.svg', 'pictures.json'])
      assert.ok(existsSync(join(dir, 'out/parameters', file)), file);
    const again = await compare(...args, '--style=ink');
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, /^6 runs, 0 to be trained$/m);
    assert.match(again.stderr, /--style.*without --style-dir the test split alone is scored/);
    assert.equal(again.stdout, stdout);
    const styled = await compare(
      ...args,
      `--style-dir=${resolve(fixture('creatures', 'styled'))}`,
      '--style=ink,neon',
    );
    assert.equal(styled.code, 0, styled.stderr);
    const [inDomain, ...styles] = styled.stdout.split(/^### Out of the domain: (\w+)$/m);
    assert.equal(inDomain!.trim(), stdout.slice(0, stdout.lastIndexOf('\nwrote ')).trim());
    assert.deepEqual([styles[0], styles[2]], ['ink', 'neon']);
    const { mean } = readScores('out/parameters/aggregated.json').find(
      ({ style, mode }) => style === 'neon' && mode === 'head',
    )!;
    assert.match(styles[3]!, new RegExp(`^\\| head \\| ${mean.miou.toFixed(4)} \\(`, 'm'));
    assert.match(styles[3]!, /(Better in mIoU than|Worse|No real difference from) /);
  });

  it('matches seconds by speeds that it measures once', async () => {
    const args = ['--match=seconds', '--lora-type=lora,head', '--rank=2', '--random-seed=1', '--epochs=2'];
    const { code, stdout, stderr } = await compare(...args);
    assert.equal(code, 0, stderr);
    const speed = (name: string) => summary(`seconds/timing/logs/${name}_1`).imagesPerSecond;
    const expected = Math.max(1, Math.round((2 * speed('head')) / speed('lora')));
    assert.equal(summary('seconds/logs/head_1').epochs, expected);
    assert.equal(summary('seconds/logs/lora_1').epochs, 2);
    assert.match(stdout, /## Adapters, matched in seconds/);
    const again = await compare(...args);
    assert.match(again.stderr, /^2 runs, 0 to be trained\n2 runs, 0 to be trained$/m);
  });

  it("chooses each adapter's rate by the validation split of the first seed, and says how", async () => {
    const args = ['--lora-type=lora,head', '--rank=2', '--random-seed=1,2', '--tune-lr=1e-7,0.5,1e30'];
    const { code, stdout, stderr } = await compare(
      ...args,
      '--output-dir=tuned',
      '--optimizer=sgd',
      '--lr=1',
    );
    assert.equal(code, 0, stderr);
    assert.match(stderr, /--lr.*--tune-lr replaces it/);
    assert.match(stderr, /^6 runs, 6 to be trained$/m);
    assert.match(stderr, /^4 runs, 2 to be trained$/m, "the first seed's are those of the search");
    const rows = new Map(
      [...stdout.matchAll(/^\| (lora|head) \| (0\.\d{4}) \| (0\.\d{4}) \| diverged \| (\S+) \|$/gm)].map(
        ([, name, ...cells]) => [name!, cells as [string, string, string]],
      ),
    );
    assert.deepEqual([...rows.keys()], ['lora', 'head'], stdout);
    for (const [name, [low, high, chosen]] of rows) {
      for (const [rate, shown] of [
        ['1e-7', low],
        ['0.5', high],
      ] as const) {
        const { validation } = summaryOf('tuned', `parameters/logs/${name}_lr${rate}_1`);
        assert.equal((validation!['miou'] as number).toFixed(4), shown);
      }
      assert.equal(chosen, high > low ? '0.5' : '1e-7');
      assert.match(stdout, new RegExp(`^\\| ${name} (\\| \\d+ ){2}\\| ${chosen} \\| 1 \\|`, 'm'));
      assert.ok(existsSync(join(dir, `tuned/parameters/logs/${name}_lr${chosen}_2/summary.json`)));
    }
    assert.match(
      stdout,
      /^Learning rates by validation mIoU of seed 1, the highest of 3 for each adapter\./m,
    );
  });

  it('refuses in a line a LoRA that the model cannot have', async () => {
    const { code, stderr } = await compare('--lora-type=lora', '--rank=4000', '--random-seed=1');
    assert.equal(code, 1);
    assert.match(stderr, /^compare-adapters: .*rank.*4000/m);
  });
});
