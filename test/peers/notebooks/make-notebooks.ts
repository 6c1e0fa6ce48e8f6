// Executes the notebooks in docs/notebooks and keeps their outputs in them: npm run notebooks
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pythonWith } from '../../../bench/peers/python.js';
import { packageFromNpm } from '../from-npm.js';
import { executed, NBCLIENT, NOTEBOOKS, notebookFiles, TSLAB } from './notebooks.js';

const python = await pythonWith('notebooks', NBCLIENT);
const tslab = await packageFromNpm(...TSLAB);
for (const name of await notebookFiles()) {
  await writeFile(join(NOTEBOOKS, name), await executed(python, tslab, name));
  console.log(`executed ${name}`);
}
