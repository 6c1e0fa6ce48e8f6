import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stemsOf } from '../../src/data/recorded-split.js';
import { splitPairs } from '../../src/data/split.js';
import { testDomains } from '../../src/experiment/test-domains.js';
import type { TrainedRun } from '../../src/experiment/trained-runs.js';
import { findPairs } from '../../src/tasks/segmentation/pairs.js';
import { png } from '../data/images/png-writer.js';

const picture = png({ width: 2, height: 1, depth: 8, colour: 0 }, [1, 2]);

describe('testDomains', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    for (let i = 0; i < 20; i++) add(`p${i}`);
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const folder = (name: string) => {
    mkdirSync(join(dir, name), { recursive: true });
    return join(dir, name);
  };
  const add = (stem: string, where = '') => {
    for (const part of ['images', 'masks'])
      writeFileSync(join(folder(join(where, part)), `${stem}.png`), picture);
  };
  const splitting = { seed: 3, percentage: 0.5, rule: 'upstream', shrink: 'all' } as const;
  const split = async () => splitPairs(await findPairs(folder('images'), folder('masks')), splitting);
  const run = (splits: TrainedRun['splits'], changes = {}): TrainedRun => ({
    name: 'lora_3_0.5',
    path: join(dir, 'models/lora_3_0.5/step-00000001'),
    splits,
    settings: {
      imageDir: folder('images'),
      maskDir: folder('masks'),
      list: [],
      maskIds: [1, 2],
      dataPercentage: 0.5,
      randomSeed: 3,
      split: 'upstream',
      shrink: 'all',
      ...changes,
    } as unknown as TrainedRun['settings'],
  });
  const stems = async (trained: TrainedRun, options = {}) => {
    const [domain] = await testDomains(trained, { testDomains: ['in_domain'], style: [], ...options });
    return domain!.items.map(({ stem }) => stem);
  };
  /** What is said on standard error meanwhile. */
  const saying = async <T>(work: () => Promise<T>): Promise<[T, string]> => {
    const write = process.stderr.write;
    let said = '';
    process.stderr.write = ((text: string) => Boolean((said += text))) as typeof write;
    try {
      return [await work(), said];
    } finally {
      process.stderr.write = write;
    }
  };

  it('has the test split that the run began with, whatever came or moved since, and says what came', async () => {
    const splits = await split();
    const test = splits.test.map(({ stem }) => stem);
    const trained = run(stemsOf(splits));
    assert.deepEqual(await saying(() => stems(trained)), [test, '']);
    for (const stem of ['a', 'b', 'c', 'd']) add(stem);
    assert.notDeepEqual(
      (await split()).test.map(({ stem }) => stem),
      test,
    );
    const [now, said] = await saying(() => stems(trained));
    assert.deepEqual(now, test);
    assert.match(said, /^lora_3_0\.5: a, b, c and 1 more: added to .*images since its training began.*\n$/);
    rmSync(join(dir, 'images', `${test[0]}.png`));
    rmSync(join(dir, 'masks', `${test[0]}.png`));
    await assert.rejects(stems(trained), {
      name: 'UserError',
      message: new RegExp(`but ${test[0]} of its test split is gone; put them back, see --image-dir`),
    });
  });

  it('leaves out styled copies of what the run learned from by its record, not by the folder as it is', async () => {
    const splits = await split();
    const trained = run(stemsOf(splits));
    for (const { stem } of [...splits.train.slice(0, 2), ...splits.validation.slice(0, 1), ...splits.test])
      add(stem, 'ood/fog');
    writeFileSync(join(dir, 'ood/manifest.json'), JSON.stringify({ imageDir: folder('images') }));
    for (const stem of ['a', 'b', 'c', 'd']) add(stem);
    const options = { testDomains: ['out_domain'] as const, style: [], styleDir: join(dir, 'ood') };
    const [domain] = await testDomains(trained, options);
    assert.deepEqual(
      domain!.items.map(({ stem }) => stem).toSorted(),
      splits.test.map(({ stem }) => stem).toSorted(),
    );
  });

  it('has the validation split where it is asked for, beside the test split or alone', async () => {
    const splits = await split();
    const named = async (domains: readonly ('in_domain' | 'validation')[], record = stemsOf(splits)) =>
      (await testDomains(run(record), { testDomains: domains, style: [] })).map(
        ({ domain, style, items }) => [domain, style, items.map(({ stem }) => stem).toSorted()],
      );
    const sorted = (side: 'test' | 'validation') => splits[side].map(({ stem }) => stem).toSorted();
    assert.deepEqual(await named(['validation']), [['validation', null, sorted('validation')]]);
    assert.deepEqual(await named(['validation', 'in_domain']), [
      ['in_domain', null, sorted('test')],
      ['validation', null, sorted('validation')],
    ]);
    await assert.rejects(named(['validation'], { ...stemsOf(splits), validation: [] }), {
      name: 'UserError',
      message: /expected a validation split with a picture for lora_3_0\.5, got none at 50 %/,
    });
  });

  it('stays in domain, and says so, for a run of its own data without styles; refuses it where they are asked for', async () => {
    const splits = await split();
    const trained = run(stemsOf(splits));
    const [domains, said] = await saying(() => testDomains(trained, { style: [] }));
    assert.deepEqual(
      domains.map(({ domain, items }) => [domain, items.length]),
      [['in_domain', splits.test.length]],
    );
    assert.match(said, /^lora_3_0\.5: in domain only: it learned from .*images, .*see --style-dir\n$/);
    for (const { stem } of splits.test) add(stem, 'ood/fog');
    const [both, nothing] = await saying(() =>
      testDomains(trained, { style: [], styleDir: join(dir, 'ood') }),
    );
    assert.deepEqual([both.map(({ style }) => style), nothing], [[null, 'fog'], '']);
    await assert.rejects(testDomains(trained, { style: [], testDomains: ['in_domain', 'out_domain'] }), {
      name: 'UserError',
      message: /--style-dir: required for out_domain, since lora_3_0\.5 learned from/,
    });
  });

  it('divides the folder anew for a run that recorded no split, and says what that means', async () => {
    const [pairs, said] = await saying(() => stems(run(undefined)));
    assert.deepEqual(
      pairs,
      (await split()).test.map(({ stem }) => stem),
    );
    assert.match(said, /^lora_3_0\.5: an earlier version trained it and recorded no splits: .*\n$/);
  });

  it('does without the lists of a run that recorded its split', async () => {
    const splits = await split();
    const trained = run(stemsOf(splits), { list: [join(dir, 'gone.txt')] });
    assert.deepEqual(
      await stems(trained),
      splits.test.map(({ stem }) => stem),
    );
  });
});
