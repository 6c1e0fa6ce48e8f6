import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { packageRoot } from '../../src/base/package.js';
import { eventsOf, weightsOf } from '../recipes/killed-runs.js';
import { checkout } from './checkout.js';
import { nodeFromNpm } from './node-from-npm.js';

/** The line of each even major version that users are on, besides the one that runs the other tests. */
const VERSIONS = ['22.23.3', '24.21.0', '26.12.1'];

const FLAGS = ['--data-percentage=0.1', '--epochs=2', '--batch-size=2', '--checkpoint-every=2'];
const RUN = 'localized_lora_42_0.1';

/** What `command` prints; rejects with it where the command fails. */
async function output(bin: string, cwd: string, command: string, args: readonly string[]): Promise<string> {
  const child = begin(bin, cwd, command, args);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'close'),
  ]);
  assert.equal(code, 0, `${command} ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
  return stdout;
}

function begin(bin: string, cwd: string, command: string, args: readonly string[]): ChildProcess {
  const PATH = `${bin}${delimiter}${process.env['PATH']}`;
  return spawn(command, args, { cwd, env: { ...process.env, PATH, NO_COLOR: '1' }, stdio: 'pipe' });
}

/** Events without the version of Node, which the first of them has. */
function withoutNode([first, ...events]: readonly unknown[]): unknown[] {
  const { versions, ...run } = first as { versions: { node: string } };
  return [{ ...run, versions: { ...versions, node: '' } }, ...events];
}

for (const version of VERSIONS)
  describe(`Node ${version}, from npm`, () => {
    let bin: string;
    let clone: string;
    let dir: string;
    const recipe = (name: string) => join(clone, 'recipes', `${name}.js`);

    before(async () => {
      bin = await nodeFromNpm(version);
      clone = await checkout();
      dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    });
    after(async () => {
      for (const folder of [clone, dir]) await rm(folder, { recursive: true, force: true });
    });

    it('installs the package, with the addon where this machine can build it', async () => {
      assert.equal((await output(bin, dir, 'node', ['--version'])).trim(), `v${version}`);
      await output(bin, clone, 'npm', ['ci', '--no-audit', '--no-fund']);
      const addon = join('native', 'build', 'onednn.node');
      assert.equal(existsSync(join(clone, addon)), existsSync(join(packageRoot, addon)));
    });

    it('trains as the Node of the other tests does', async () => {
      await output(bin, dir, 'node', [recipe('train-localized'), ...FLAGS]);
      const expected = mkdtempSync(join(dir, 'expected-'));
      await output(dirname(process.execPath), expected, process.execPath, [
        recipe('train-localized'),
        ...FLAGS,
      ]);
      assert.deepEqual(await weightsOf(dir), await weightsOf(expected));
      assert.deepEqual(withoutNode(await eventsOf(dir)), withoutNode(await eventsOf(expected)));
    });

    it('ends with the same weights after kill -9 and --resume', async () => {
      const cwd = mkdtempSync(join(dir, 'killed-'));
      const child = begin(bin, cwd, 'node', [recipe('train-localized'), ...FLAGS]);
      const ended = once(child, 'close');
      const log = join(cwd, 'logs', RUN, 'events.jsonl');
      while (!(existsSync(log) && readFileSync(log, 'utf8').includes('"type":"checkpoint"'))) await wait(5);
      child.kill('SIGKILL');
      await ended;
      await output(bin, cwd, 'node', [recipe('train-localized'), ...FLAGS, '--resume']);
      assert.deepEqual(await weightsOf(cwd), await weightsOf(dir));
      assert.deepEqual(readdirSync(join(cwd, 'models', RUN)), readdirSync(join(dir, 'models', RUN)));
    });

    it('continues a study that the Node of the other tests began', async () => {
      const search = [recipe('hyperparam-optim'), '--data-percentage=0.1', '--epochs=1', '--n-trials'];
      await output(dirname(process.execPath), dir, process.execPath, [...search, '1']);
      const trials = await output(bin, dir, 'node', [...search, '2']);
      assert.match(trials, /^trial 1 (COMPLETE|PRUNED)/m);
      assert.doesNotMatch(trials, /^trial 0 (COMPLETE|PRUNED)/m);
    });
  });
