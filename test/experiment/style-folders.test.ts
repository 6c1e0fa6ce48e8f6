import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../src/base/errors.js';
import { findStyles, unseenItems } from '../../src/experiment/style-folders.js';
import { findPairs } from '../../src/tasks/segmentation/pairs.js';

describe('styles', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const style = (name: string, stems: readonly string[]) => {
    for (const part of ['images', 'masks']) {
      mkdirSync(join(dir, name, part), { recursive: true });
      for (const stem of stems) writeFileSync(join(dir, name, part, `${stem}.png`), '');
    }
  };
  const refuses = (work: Promise<unknown>, message: RegExp) =>
    assert.rejects(work, (error) => error instanceof UserError && message.test(error.message));

  it('are the folders that hold images, sorted; or those that are asked for', async () => {
    style('neon', ['a']);
    style('ink', ['a']);
    mkdirSync(join(dir, 'notes'));
    writeFileSync(join(dir, 'manifest.json'), '{}');
    assert.deepEqual(await findStyles(dir), ['ink', 'neon']);
    assert.deepEqual(await findStyles(dir, ['neon']), ['neon']);
    await refuses(
      findStyles(dir, ['neom']),
      /--style neom: expected one of ink, neon .* did you mean neon\?/,
    );
  });

  it('refuses a folder that has none', async () => {
    await refuses(findStyles(dir), /expected styles, folders with images\/ and masks\/, got none/);
    await refuses(findStyles(join(dir, 'nowhere')), /expected a folder of styles, got nothing there/);
  });

  it('leave out what a model learned from, where they were drawn from its own pictures', async () => {
    style('fog', ['a', 'b', 'c', 'd']);
    const [own, other] = [join(dir, 'data/images'), join(dir, 'other/images')];
    for (const folder of [own, other]) mkdirSync(folder, { recursive: true });
    symlinkSync(own, join(dir, 'link'));
    const seen = { stems: ['a', 'c'], imageDirs: [own] };
    const fog = await findPairs(join(dir, 'fog/images'), join(dir, 'fog/masks'));
    const unseen = (what: typeof seen) => unseenItems(dir, 'fog', fog, what);
    const stems = async () => (await unseen(seen)).map(({ stem }) => stem);
    const drawnFrom = (imageDir: string) =>
      writeFileSync(join(dir, 'manifest.json'), JSON.stringify({ madeBy: 'make-ood', imageDir }));
    assert.deepEqual(await stems(), ['a', 'b', 'c', 'd'], 'no manifest');
    drawnFrom(other);
    assert.deepEqual(await stems(), ['a', 'b', 'c', 'd'], 'other pictures');
    for (const same of [`${own}/`, join(dir, 'link'), join(dir, 'gone')]) {
      drawnFrom(same);
      assert.deepEqual(await stems(), ['b', 'd'], same);
    }
    const all = { ...seen, stems: ['a', 'b', 'c', 'd'] };
    await refuses(unseen(all), /fog: expected pictures .* not seen, got 4 .*--random-seed/);
  });
});
