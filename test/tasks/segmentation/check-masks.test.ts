import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, of } from 'rxjs';
import { checkSplits } from '../../../operators/check-splits.js';
import type { FilePair } from '../../../src/data/types.js';
import { checkMasks } from '../../../src/tasks/segmentation/check-masks.js';
import type { MaskIds } from '../../../src/tasks/segmentation/mask-ids.js';
import { png } from '../../data/images/png-writer.js';

describe('checkMasks', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-masks-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  /** One mask of four pixels for each list of ids; the last id fills what is left. */
  const masks = (...ids: number[][]): FilePair[] =>
    ids.map((own, i) => {
      const stem = `${i}`;
      const mask = join(dir, `${stem}.png`);
      const four = Array.from({ length: 4 }, (_, at) => own[at] ?? own.at(-1)!);
      writeFileSync(mask, png({ width: 2, height: 2, depth: 8, colour: 0 }, four));
      return { stem, image: mask, mask };
    });
  const refuses = (ids: MaskIds, message: RegExp, ...stored: number[][]) =>
    assert.rejects(checkMasks(masks(...stored), { ids }), { name: 'UserError', message });

  it('refuses black and white masks under 0,1, and names the flag', async () => {
    const message =
      /^the 2 masks, from .*0\.png on: expected the ids 0,1, got 0 and 255 alone, where 255 is ignored; if 255 is a class, declare it: --mask-ids 0,255$/;
    await refuses([0, 1], message, [0, 255], [255, 0]);
    await refuses([0, 1, 2], /--mask-ids 0,255$/, [0, 255], [0]);
    await refuses([1, 2, 3], /got 1 and 255 alone/, [1, 255]);
    assert.deepEqual(await checkMasks(masks([0, 255], [255, 0]), { ids: [0, 255] }), []);
  });

  it('refuses masks in which everything is ignored', async () => {
    await refuses([0, 1], /expected the ids 0,1, got 255 alone, where 255 is ignored/, [255], [255]);
    await refuses({ 0: 0, 1: 1, 3: 255 }, /got ignored ids alone; see --mask-ids/, [3], [3]);
  });

  it('refuses them whatever the number of masks, and stops reading at the second class', async () => {
    const white = Array.from({ length: 40 }, () => [0, 0, 0, 255]);
    await refuses([0, 1], /^the 40 masks/, ...white);
    assert.deepEqual(await checkMasks(masks(...white, [0, 1]), { ids: [0, 1] }), []);
    const pairs = masks(...Array.from({ length: 8 }, () => [0, 1]));
    assert.deepEqual(await checkMasks([...pairs, { ...pairs[0]!, mask: '/none' }], { ids: [0, 1] }), []);
  });

  it('says which classes occur nowhere, and where there is only one class to learn', async () => {
    assert.deepEqual(await checkMasks(masks([1, 2], [2, 1]), { ids: [1, 2, 3, 7] }), [
      `the 2 masks, from ${dir}/0.png on, hold no pixel of the ids 3,7: such classes are not learned; see --mask-ids`,
    ]);
    assert.deepEqual(await checkMasks(masks([0], [0]), { ids: [0, 1] }), [
      `the 2 masks, from ${dir}/0.png on, hold nothing but the id 0: there is only one class to learn; see --mask-ids`,
    ]);
    const [line] = await checkMasks(masks([0, 1], [1], [0], [2]), { ids: [0, 1, 2], least: 1, most: 2 });
    assert.match(line!, /^the first 2 masks, .* no pixel of the ids 2:/);
  });

  it('says where more than half of the pixels are ignored', async () => {
    assert.deepEqual(await checkMasks(masks([0, 1, 255, 255]), { ids: [0, 1] }), []);
    const [line] = await checkMasks(masks([0, 255], [1, 255]), { ids: [0, 1] });
    assert.match(line!, /have 75\.0 % of their pixels ignored, those of the id 255; see --mask-ids/);
    const [merged] = await checkMasks(masks([0, 1, 2, 3], [1, 3, 3, 3]), {
      ids: { 0: 0, 1: 1, 2: 255, 3: 255 },
    });
    assert.match(merged!, /have 62\.5 % of their pixels ignored, those of the ids 2,3;/);
  });

  it('says where each mask is of one class throughout, for such masks label pictures', async () => {
    const [line, ...more] = await checkMasks(masks([0], [1], [1]), { ids: [0, 1] });
    assert.match(
      line!,
      /^the 3 masks, .* are each of one class throughout: they label pictures and no regions; see/,
    );
    assert.deepEqual(more, []);
    assert.deepEqual(await checkMasks(masks([0], [0, 1], [1]), { ids: [0, 1] }), []);
  });

  it('refuses ids that are declared twice before it reads anything', async () => {
    await assert.rejects(checkMasks([], { ids: [1, 1, 2] }), /each id once, got 1 twice/);
  });

  it('is what checkSplits runs on the training masks; checkSplits also names empty splits', async () => {
    const said: string[] = [];
    const warn = (message: string) => said.push(message);
    const train = masks([0, 1]);
    const splits = { train, validation: [], test: [] };
    assert.equal(await lastValueFrom(of(splits).pipe(checkSplits({ ids: [0, 1], warn }))), splits);
    assert.deepEqual(
      said.map((line) => line.split(':')[0]),
      ['validation', 'test'].map((name) => `the ${name} split is empty, with 1 training picture`),
    );
    assert.match(said[0]!, /add pairs or raise --data-percentage$/);
    said.length = 0;
    await lastValueFrom(
      of({ train, validation: train, test: train }).pipe(checkSplits({ ids: [0, 1], warn })),
    );
    assert.deepEqual(said, []);
    const bad = { ...splits, train: masks([0, 255]) };
    await assert.rejects(lastValueFrom(of(bad).pipe(checkSplits({ ids: [0, 1], warn }))), /0 and 255 alone/);
    const cut = join(dir, 'cut.png');
    writeFileSync(cut, readFileSync(train[0]!.image).subarray(0, -12));
    const broken = { ...splits, test: [{ ...train[0]!, image: cut }] };
    await assert.rejects(lastValueFrom(of(broken).pipe(checkSplits({ ids: [0, 1], warn }))), {
      name: 'UserError',
      message: /cut\.png: expected an image, got one that is cut short; replace it/,
    });
  });
});
