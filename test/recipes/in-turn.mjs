// Runs recipes one after another in this process, each as `node recipes/<name>.js …args` runs it in its own. Node says
// when nothing keeps the process alive any more: there a recipe has ended.
//
//   node in-turn.mjs runs.json ends.json

import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [, , input, output] = process.argv;
/** @type {{ file: string, args: string[], cwd: string }[]} */
const runs = JSON.parse(readFileSync(input, 'utf8'));
/** @type {import('./run.js').Ended[]} */
const ends = [];
const said = { stdout: '', stderr: '' };

for (const name of /** @type {const} */ (['stdout', 'stderr'])) {
  process[name].setMaxListeners(0);
  process[name].write = (text, encoding, done = encoding) => {
    said[name] += text;
    if (typeof done === 'function') done();
    return true;
  };
}
process.setMaxListeners(0);
// A recipe that has ended sets a time at which the process quits at the latest.
process.exit = () => undefined;

function next() {
  const run = runs[ends.length];
  process.exitCode = 0;
  if (!run) return;
  Object.assign(said, { stdout: '', stderr: '' });
  process.argv = [process.execPath, run.file, ...run.args];
  process.chdir(run.cwd);
  // A query makes it another module, that is run anew; the package stays loaded.
  import(`${pathToFileURL(run.file)}?${ends.length}`);
}

process.on('beforeExit', () => {
  if (ends.length === runs.length) return;
  ends.push({ code: process.exitCode, signal: null, ...said });
  writeFileSync(output, JSON.stringify(ends));
  next();
});
next();
