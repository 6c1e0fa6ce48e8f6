import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { from, lastValueFrom } from 'rxjs';
import { batch } from '../../operators/batch.js';
import { decode } from '../../operators/decode.js';
import { evaluate } from '../../operators/evaluate.js';
import { normalize } from '../../operators/normalize.js';
import { prefetch } from '../../operators/prefetch.js';
import { batchPlans } from '../../src/data/batch-plans.js';
import { splitPairs } from '../../src/data/split.js';
import type { BatchPlan, Pair } from '../../src/data/types.js';
import type { AggregatedScores, CountedDomain, ScoreRow } from '../../src/experiment/score-files.js';
import { loadTrained, trainedRuns } from '../../src/experiment/trained-runs.js';
import { testScores } from '../../src/loggers/summary.js';
import { logCoshDice } from '../../src/tasks/segmentation/losses/log-cosh-dice.js';
import { pictureScores, sumOfCounts } from '../../src/tasks/segmentation/metrics/picture-counts.js';
import { segmentationMetrics } from '../../src/tasks/segmentation/metrics/segmentation-metrics.js';
import type { SegmentationTestScores } from '../../src/tasks/segmentation/metrics/segmentation-scores.js';
import { findPairs } from '../../src/tasks/segmentation/pairs.js';
import { editInfo } from '../train/edit-info.js';
import { run, type SharedProcess, sharedProcess } from './run.js';
import { plain, tinyBackbone, untrained } from './trained.js';

type Row = ScoreRow<SegmentationTestScores>;

describe('inference', () => {
  let dir: string;
  let backbone: string;
  let shared: SharedProcess;
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    backbone = await tinyBackbone(join(dir, 'backbone'));
    for (const seed of [1, 2]) await untrained(join(dir, 'models'), backbone, { seed });
    await untrained(join(dir, 'models'), backbone, { seed: 1, adapter: 'localized_lora' });
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });
  const infer = (...args: string[]) => shared.run('inference', ['--engine', 'cpu', ...args], dir);
  const json = <T>(path: string) => JSON.parse(readFileSync(join(dir, path), 'utf8')) as T;

  it('scores each run on its own test split and on all styles, merged as unmerged', async () => {
    const { code, stdout, stderr } = await run('inference', ['--engine', 'cpu'], dir);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^adapter +adapter parameters/);
    assert.match(stdout, /wrote results\/inference\/individual\.json, .*aggregated\.csv\n$/);
    const rows = json<Row[]>('results/inference/individual.json');
    assert.deepEqual(
      rows.map((row) => `${row.run} ${row.style ?? row.domain} ${row.images}`),
      ['localized_lora_1_0.2', 'lora_1_0.2', 'lora_2_0.2'].flatMap((name) =>
        ['in_domain 4', 'ink 20', 'mosaic 20', 'neon 20'].map((domain) => `${name} ${domain}`),
      ),
    );
    // LoRA of rank 2 on query and value of one block: 2·2·(12 + 12); localized has K·r = 2, so as many.
    assert.deepEqual([...new Set(rows.map((row) => row.adapterParameters))], [96]);
    assert.deepEqual([...new Set(rows.map((row) => row.headParameters))], [9 * 12 * 6 + 6 + 6 * 3 + 3]);

    const trained = (await trainedRuns(join(dir, 'models'))).find(({ name }) => name === 'lora_2_0.2')!;
    const model = await loadTrained(trained);
    model.unmerge();
    const score = async (pairs: readonly Pair[]) => {
      const load = (plan: BatchPlan) =>
        from(plan.samples).pipe(decode(16), normalize(model.normalization), batch(plan));
      const plans = batchPlans(pairs, { batchSize: 2, seed: 2, shuffle: false });
      const leases$ = prefetch(plans, load, { ahead: 1 });
      const { scores } = await lastValueFrom(
        evaluate(model, leases$, segmentationMetrics({ classes: 3, loss: logCoshDice() })),
      );
      return testScores(scores);
    };
    const all = await findPairs(join(plain, 'images'), join(plain, 'masks'));
    const neon = ['images', 'masks'].map((part) => join(dirname(plain), 'styled', 'neon', part));
    for (const [style, pairs] of [
      [null, splitPairs(all, { seed: 2, percentage: 0.2 }).test],
      ['neon', await findPairs(neon[0]!, neon[1]!)],
    ] as const) {
      const { test } = rows.find((row) => row.run === trained.name && row.style === style)!;
      const expected = await score(pairs);
      assert.deepEqual(Object.keys(test), Object.keys(expected));
      for (const [key, value] of Object.entries(expected))
        [value].flat().forEach((want, i) => {
          const got = [test[key as keyof typeof test]].flat()[i]!;
          assert(Math.abs(got - want!) < 1e-5, `${style} ${key}[${i}]: ${got}, unmerged ${want}`);
        });
    }
    model.dispose();
  });

  it('scores pictures at their own resolution, and keeps what it counted of each', async () => {
    const own = ['--resolution=own', '--tta-flip', '--test-domains=in_domain', '--output-dir=own'];
    const { code, stdout, stderr } = await infer(...own);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /boundary IoU +surface Dice +ECE/);
    assert.match(stdout, /own\/pictures\.json\n$/);
    const rows = json<ScoreRow[]>('own/individual.json');
    const domains = json<CountedDomain[]>('own/pictures.json');
    assert.deepEqual(
      domains.map(({ run: name, pictures }) => [name, pictures.length]),
      rows.map(({ run: name, images }) => [name, images]),
    );
    domains.forEach(({ pictures }, i) => {
      const sums = sumOfCounts(pictures.map(({ counts }) => counts));
      assert.deepEqual(pictureScores(sums, 3), rows[i]!.test);
      // Every pixel of every picture is counted once, at the pictures' own size.
      assert.equal(
        sums['confusion']!.reduce((a, b) => a + b),
        sums['binPixels']!.reduce((a, b) => a + b),
      );
    });
    const [a, b] = ['lora_1_0.2', 'localized_lora_1_0.2'];
    const compare = (...args: string[]) => shared.run('compare', [a!, b!, ...args], dir);
    const compared = await compare('--scores=own');
    assert.equal(compared.code, 0, compared.stderr);
    assert.match(compared.stdout, /^in_domain, mIoU: .*(real difference|better|worse)/m);
    assert.match((await compare('--scores=none')).stderr, /^none\/pictures\.json: no pictures/);
    const same = await infer('--resolution=32x24', '--test-domains=in_domain', '--output-dir=same');
    assert.equal(same.code, 0, same.stderr);
    for (const { pictures } of json<CountedDomain[]>('same/pictures.json'))
      for (const { counts } of pictures)
        assert.equal(
          counts['binPixels']!.reduce((a, b) => a + b),
          32 * 24,
        );
    const unread = await infer('--tta-flip', '--test-domains=in_domain', '--output-dir=own', '--overwrite');
    assert.match(unread.stderr, /--tta-flip: .*--resolution model/);
    assert.ok(!existsSync(join(dir, 'own/pictures.json')), 'no counts of an earlier scoring');
  });

  it('gives mean and population deviation over the runs that differ by their seed alone', () => {
    const rows = json<Row[]>('results/inference/individual.json');
    const aggregated = json<AggregatedScores<SegmentationTestScores>[]>('results/inference/aggregated.json');
    assert.deepEqual(
      aggregated.map(({ runs }) => runs.length),
      [1, 1, 1, 1, 2, 2, 2, 2],
    );
    const ink = aggregated.find((row) => row.adapter === 'lora' && row.style === 'ink')!;
    const [a, b] = rows
      .filter((row) => row.adapter === 'lora' && row.style === 'ink')
      .map(({ test }) => test.softDice);
    assert.deepEqual(ink.seeds, [1, 2]);
    assert(Math.abs(ink.mean.softDice - (a! + b!) / 2) < 1e-12);
    assert(Math.abs(ink.std.softDice - Math.abs(a! - b!) / 2) < 1e-12);

    const table = (name: string) => {
      const [head, ...lines] = readFileSync(join(dir, 'results/inference', name), 'utf8')
        .trim()
        .split('\n');
      return lines.map((line) => {
        const cells = line.split(',');
        return Object.fromEntries(head!.split(',').map((column, i) => [column, cells[i]]));
      });
    };
    const individual = table('individual.csv');
    assert.equal(individual.length, rows.length);
    rows.forEach(({ run: name, test, adapterParameters }, i) => {
      const { run: cell, soft_dice, dice_border, adapter_parameters } = individual[i]!;
      assert.deepEqual(
        [cell, Number(soft_dice), Number(dice_border), adapter_parameters],
        [name, test.softDice, test.dice[2], `${adapterParameters}`],
      );
    });
    const line = table('aggregated.csv')[aggregated.indexOf(ink)]!;
    assert.deepEqual(
      [line['runs'], line['seeds'], Number(line['soft_dice_mean']), Number(line['soft_dice_std'])],
      ['2', '1 2', ink.mean.softDice, ink.std.softDice],
    );
  });

  it('scores what is asked for, with flags spelled as upstream spells them', async () => {
    const asked = ['--model_dir=models', '--lora_type=lora', '--random_seed=2', '--output_dir=some'];
    const size = ['--rank', '2', '--alpha', '2', '--device', 'cpu'];
    const { code, stderr } = await infer(...asked, ...size, '--test_domains=out_domain', '--style=neon');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^--rank 2: not needed; the checkpoints say the same\n--alpha 2: not needed/m);
    assert.deepEqual(
      json<Row[]>('some/individual.json').map((row) => [row.run, row.style]),
      [['lora_2_0.2', 'neon']],
    );
  });

  it('overwrites an earlier result only with --overwrite', async () => {
    const asked = ['--run-name=lora_2_0.2', '--test_domains=in_domain', '--output_dir=some'];
    const before = readFileSync(join(dir, 'some/individual.json'), 'utf8');
    const refused = await infer(...asked);
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
    assert.match(refused.stderr, /^inference: some\/individual\.json: .* --overwrite, or .* --output-dir\n$/);
    assert.equal(readFileSync(join(dir, 'some/individual.json'), 'utf8'), before);
    const { code, stderr } = await infer(...asked, '--overwrite');
    assert.equal(code, 0, stderr);
    assert.notEqual(readFileSync(join(dir, 'some/individual.json'), 'utf8'), before);
  });

  it('scores a run that was moved, from any working directory', async () => {
    const moved = mkdtempSync(join(dir, 'moved-'));
    for (const name of ['backbone', 'models'])
      cpSync(join(dir, name), join(moved, name), { recursive: true });
    renameSync(join(dir, 'backbone'), join(dir, 'away'));
    const asked = ['--run-name=lora_2_0.2', '--test_domains=in_domain', '--engine=cpu'];
    const from = (cwd: string, ...args: string[]) => shared.run('inference', [...asked, ...args], cwd);
    const there = await from(join(moved, 'models'), '--model-dir=.');
    assert.equal(there.code, 0, there.stderr);
    // Its model is away, so it must be named.
    const lost = await from(dir, '--output-dir=lost');
    assert.match(lost.stderr, /backbone: expected a folder, .* got nothing there; see --model-name\n$/);
    const named = await from(dir, '--output-dir=lost', '--model-name=away');
    assert.equal(named.code, 0, named.stderr);
    renameSync(join(dir, 'away'), join(dir, 'backbone'));
  });

  it('leaves out styled copies of the pictures that a run trained on', async () => {
    const images = join(plain, 'images');
    const { train, test } = splitPairs(await findPairs(images, join(plain, 'masks')), {
      seed: 2,
      percentage: 0.2,
    });
    for (const part of ['images', 'masks']) mkdirSync(join(dir, 'ood/fog', part), { recursive: true });
    for (const { image, mask, stem } of [...train.slice(0, 3), ...test.slice(0, 2)]) {
      cpSync(image, join(dir, 'ood/fog/images', `${stem}.jpg`));
      cpSync(mask, join(dir, 'ood/fog/masks', `${stem}.png`));
    }
    writeFileSync(join(dir, 'ood/manifest.json'), JSON.stringify({ madeBy: 'make-ood', imageDir: images }));
    const args = ['--style-dir=ood', '--test-domains=out_domain', '--run-name=lora_2_0.2'];
    const { code, stderr } = await infer(...args, '--output-dir=unseen');
    assert.equal(code, 0, stderr);
    assert.equal(json<Row[]>('unseen/individual.json')[0]!.images, 2);
  });

  it('scores each run in its own domain, and says which has no styles and which flags no run reads', async () => {
    for (const [seed, imageDir] of [
      [1, join(dir, 'own')],
      [2, join(plain, 'images')],
    ] as const)
      await untrained(join(dir, 'mixed'), backbone, { seed, imageDir });
    cpSync(join(plain, 'images'), join(dir, 'own'), { recursive: true });
    const asked = ['--model-dir=mixed', '--output-dir=mixed-scores', '--style=neon', '--labels=none.csv'];
    const { code, stderr, stdout } = await infer(...asked);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^lora_1_0\.2: in domain only: it learned from .*own, .*see --style-dir$/m);
    assert.match(stderr, /^--labels: ignored: all runs are segmentations$/m);
    assert.doesNotMatch(stderr, /lora_2_0\.2: in domain only/);
    assert.match(stdout, /neon/);
    const rows = JSON.parse(readFileSync(join(dir, 'mixed-scores/individual.json'), 'utf8')) as {
      readonly run: string;
      readonly style: string | null;
    }[];
    assert.deepEqual(
      rows.map(({ run: name, style }) => [name, style]),
      [
        ['lora_1_0.2', null],
        ['lora_2_0.2', null],
        ['lora_2_0.2', 'neon'],
      ],
    );
  });

  it('refuses in one line, and writes nothing', async () => {
    await untrained(join(dir, 'elsewhere'), backbone, { imageDir: 'pets', maskDir: join(plain, 'masks') });
    cpSync(join(plain, 'images'), join(dir, 'pets'), { recursive: true });
    const two = await untrained(join(dir, 'two'), backbone);
    editInfo(two, (text) => text.replace('"classes": 3', '"classes": 2'));
    await untrained(join(dir, 'ids'), backbone, { maskIds: [1, 2, 4] });

    const cases: [string, string[], RegExp][] = [
      [
        'a missing folder',
        ['--model-dir=nowhere'],
        /nowhere: expected a checkpoint, got nothing there; train/,
      ],
      ['an unknown style', ['--style=neom'], /--style neom: expected one of ink, .*did you mean neon/],
      ['an unknown flag', ['--modeldri=x'], /--modeldri: unknown flag; did you mean --model-dir\?/],
      [
        'no styles of its own',
        ['--model-dir=elsewhere', '--test-domains=out_domain'],
        /--style-dir: required/,
      ],
      [
        'other classes',
        ['--model-dir=two'],
        /step-00000000: expected the parameters of this model.*classify/,
      ],
      ['other mask ids', ['--model-dir=ids'], /\.png: expected the ids 1, 2, 4 .* got 3/],
    ];
    for (const [what, args, message] of cases) {
      const { code, stdout, stderr } = await infer(...args, '--output-dir=bad');
      assert.deepEqual([code, stdout], [1, ''], what);
      assert.match(stderr, message, what);
      assert.match(stderr, /^inference: .*\n$/, what);
      assert(!existsSync(join(dir, 'bad')), what);
    }
  });
});
