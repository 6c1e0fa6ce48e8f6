import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { augmentations } from '../../src/data/images/augmentations/augmentations.js';
import { PRESETS_ABOUT } from '../../src/data/images/augmentations/presets.js';
import { mixers } from '../../src/data/images/mixing/mixers.js';
import { root } from '../recipes/run.js';

/** The cells of all rows of tables. */
const rows = readFileSync(join(root, 'docs', 'augmentation.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()));
const namesIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);

describe('docs/augmentation.md', () => {
  it('lists every augmentation and every mixer once', () => {
    const listed = rows.flatMap(([, names]) => namesIn(names!));
    assert.deepEqual(listed.toSorted(), [...augmentations.names, ...mixers.names].toSorted());
  });

  it('states the probabilities that they have', () => {
    for (const [, names, , p] of rows.filter((row) => row.length > 5))
      for (const name of namesIn(names!)) {
        const entry = mixers.has(name) ? mixers.make(name) : augmentations.make(name);
        assert.equal(Number(p), entry.p, name);
      }
  });

  it('says of each preset what the help says', () => {
    const said = rows.filter((row) => row.length === 4).map(([, name, what]) => [namesIn(name!)[0], what]);
    const about = PRESETS_ABOUT.split('; ').map((line) => line.split(' = '));
    for (const [name, what] of about)
      assert.ok(
        said.some(([other, text]) => other === name && text!.startsWith(what!)),
        name,
      );
  });
});
