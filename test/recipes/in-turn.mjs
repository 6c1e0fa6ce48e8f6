// Runs recipes one after another in this process, each as `node recipes/<name>.js …args` runs it in its own: run.ts sends
// them, and gets back how they ended. Node says when nothing keeps the process alive any more: there a recipe has ended.
// A recipe that starts another and waits for it, as a study does for each of its trainings, finds it run in here, too.

import child_process from 'node:child_process';
import { EventEmitter } from 'node:events';
import { register, syncBuiltinESMExports } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';

register('./anew.mjs', import.meta.url);

const said = { stdout: '', stderr: '' };
let turn = 0;
/** The recipe that the one in turn has started, and what that one's own command line was. */
let inner;

for (const name of /** @type {const} */ (['stdout', 'stderr'])) {
  process[name].setMaxListeners(0);
  process[name].write = (text, encoding, done = encoding) => {
    // `childProcess` shows what a child says on standard error alone.
    if (!inner || name === 'stderr') said[name] += text;
    if (typeof done === 'function') done();
    return true;
  };
}
process.setMaxListeners(0);
// A recipe that has ended sets a time at which the process quits at the latest.
process.exit = () => undefined;

process.on('message', ({ file, args, cwd }) => {
  Object.assign(said, { stdout: '', stderr: '' });
  process.chdir(cwd);
  process.channel.unref();
  begin(file, args);
});

const { spawn } = child_process;
child_process.spawn = (command, args, options) => {
  const [file, ...rest] = args;
  const isRecipe = command === process.execPath && dirname(file) === dirname(process.argv[1] ?? '');
  if (!isRecipe || inner) return spawn(command, args, options);
  const child = Object.assign(new EventEmitter(), { exitCode: null, signalCode: null, kill: () => false });
  inner = { child, argv: process.argv };
  begin(file, rest);
  return child;
};
syncBuiltinESMExports();

process.on('beforeExit', (code) => {
  // What a process does at its end: it gives back the folders that it has locked.
  process.emit('exit', code);
  if (!inner) {
    process.channel.ref();
    process.send({ code, signal: null, ...said });
    return;
  }
  const { child, argv } = inner;
  inner = undefined;
  process.argv = argv;
  process.exitCode = 0;
  setImmediate(() => child.emit('close', (child.exitCode = code), null));
});

function begin(file, args) {
  process.exitCode = 0;
  process.argv = [process.execPath, file, ...args];
  turn += 1;
  // A query makes it another module, that is run anew; the package stays loaded.
  import(`${pathToFileURL(file)}?turn=${turn}`);
}
