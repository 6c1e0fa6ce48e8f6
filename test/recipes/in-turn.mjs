// Runs recipes one after another in this process, each as `node recipes/<name>.js …args` runs it in its own: run.ts sends
// them, and gets back how they ended. Node says when nothing keeps the process alive any more: there a recipe has ended.

import { register } from 'node:module';
import { pathToFileURL } from 'node:url';

register('./anew.mjs', import.meta.url);

const said = { stdout: '', stderr: '' };
let turn = 0;

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

process.on('message', ({ file, args, cwd }) => {
  Object.assign(said, { stdout: '', stderr: '' });
  process.exitCode = 0;
  process.argv = [process.execPath, file, ...args];
  process.chdir(cwd);
  process.channel.unref();
  turn += 1;
  // A query makes it another module, that is run anew; the package stays loaded.
  import(`${pathToFileURL(file)}?turn=${turn}`);
});
process.on('beforeExit', (code) => {
  // What a process does at its end: it gives back the folders that it has locked.
  process.emit('exit', code);
  process.channel.ref();
  process.send({ code, signal: null, ...said });
});
