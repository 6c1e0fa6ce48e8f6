import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Python } from '../../../bench/peers/python.js';
import { needsPackage } from '../from-npm.js';
import { needsPython } from '../python.js';
import {
  executed,
  NBCLIENT,
  NOTEBOOKS,
  type Notebook,
  notebookFiles,
  type Output,
  TSLAB,
} from './notebooks.js';

const outputsOf = (notebook: Notebook) => notebook.cells.flatMap(({ outputs = [] }) => outputs);
const textOf = ({ text = '' }: Output) => [text].flat().join('');
const kindsOf = (notebook: Notebook) =>
  outputsOf(notebook).flatMap(({ data }) =>
    Object.keys(data ?? {}).filter((kind) => kind.startsWith('image/')),
  );

describe('the notebooks', () => {
  let python: Python;
  let tslab: string;
  before(async function () {
    python = await needsPython(this, 'notebooks', NBCLIENT);
    tslab = await needsPackage(this, ...TSLAB);
  });

  it('are one for each adapter of the study', async () => {
    assert.deepEqual(await notebookFiles(), ['localized.ipynb', 'lora.ipynb', 'serial.ipynb']);
  });

  for (const name of ['localized.ipynb', 'lora.ipynb', 'serial.ipynb'])
    it(`${name} runs in tslab from the first cell to the last, as its kept outputs show`, async () => {
      const path = join(NOTEBOOKS, name);
      const kept = JSON.parse(await readFile(path, 'utf8')) as Notebook;
      const now = JSON.parse(await executed(python, tslab, name)) as Notebook;
      const faults = outputsOf(now).filter(
        ({ output_type, name: stream }) => output_type === 'error' || stream === 'stderr',
      );
      assert.deepEqual(faults, []);
      assert.deepEqual(kindsOf(now), ['image/svg+xml', 'image/svg+xml', 'image/jpeg']);
      assert.deepEqual(kindsOf(kept), kindsOf(now), 'npm run notebooks keeps the outputs');
      const text = outputsOf(now).map(textOf).join('');
      const dice = [...text.matchAll(/^validation after epoch \d: Dice (\S+), /gm)].map(([, value]) =>
        Number(value),
      );
      assert.equal(dice.length, 4);
      assert(dice.at(-1)! > dice[0]!, `it learns: ${dice.join(', ')}`);
      assert((await stat(path)).size < 300_000);
    });
});
