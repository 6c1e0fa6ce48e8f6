import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { checkpointStore } from '../../../src/train/checkpoint-store.js';
import { readCheckpoint } from '../../../src/train/read-checkpoint.js';
import { assertSameRun, models, resumable, unbrokenRun } from '../../recipes/killed-runs.js';
import { root } from '../../recipes/run.js';

const CTRL_C = '\x03';
const CTRL_Z = '\x1a';

/** A shell in a terminal of its own, as a person has it: `script` of util-linux holds the other end. */
class Terminal {
  readonly #script: ChildProcess;
  #seen = '';

  constructor(cwd: string) {
    this.#script = spawn('script', ['-qfec', 'bash --norc --noprofile -i', '/dev/null'], {
      cwd,
      env: { ...process.env, PS1: '$ ', TERM: 'xterm', NO_COLOR: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#script.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#seen += text;
    });
  }

  type(text: string): void {
    this.#script.stdin!.write(text);
  }

  /** What the terminal has shown up to and with the next text that matches, from where the last call ended. */
  async until(text: RegExp): Promise<string> {
    for (;;) {
      const found = text.exec(this.#seen);
      if (found) {
        const end = found.index + found[0].length;
        const shown = this.#seen.slice(0, end);
        this.#seen = this.#seen.slice(end);
        return shown;
      }
      await wait(5);
    }
  }

  /** The exit code of the last command. */
  async code(): Promise<number> {
    this.type('echo code-$?.\n');
    const shown = await this.until(/code-(\d+)\./);
    return Number(/code-(\d+)\.$/.exec(shown)![1]);
  }

  /** Closes the window. */
  async close(): Promise<void> {
    if (this.#script.exitCode !== null || this.#script.signalCode !== null) return;
    this.#script.kill('SIGKILL');
    await once(this.#script, 'exit');
  }
}

describe('a training in a terminal', () => {
  let dir: string;
  let flags: string[];
  let unbroken: string;
  let terminals: Terminal[];
  before(async function () {
    if (spawnSync('script', ['--version']).error) {
      console.log('      skipped: script of util-linux is not installed');
      this.skip();
    }
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    flags = await resumable(dir);
    unbroken = await unbrokenRun(dir, flags);
  });
  after(() => dir && rmSync(dir, { recursive: true }));
  beforeEach(() => {
    terminals = [];
  });
  afterEach(async () => {
    for (const terminal of terminals) await terminal.close();
  });

  const open = (cwd: string) => {
    const terminal = new Terminal(cwd);
    terminals.push(terminal);
    return terminal;
  };
  const command = `${process.execPath} ${join(root, 'recipes/train-localized.js')}`;
  const train = (...more: string[]) => [command, ...flags, '--resume', ...more].join(' ');
  const folder = () => mkdtempSync(join(dir, 'run-'));
  const wholeCheckpoints = async (cwd: string) => {
    const paths = await checkpointStore(models(cwd)).list();
    for (const path of paths) await readCheckpoint(path);
    return paths.length;
  };
  const ends = async (cwd: string) => {
    const terminal = open(cwd);
    terminal.type(`${train()}\n`);
    await terminal.until(/finished after 12 epochs/);
    assert.equal(await terminal.code(), 0);
    await assertSameRun(cwd, unbroken);
  };

  it('is stopped by ctrl-C with code 130, at once by a second one, and resumed', async () => {
    const cwd = folder();
    const terminal = open(cwd);
    for (const keys of [CTRL_C, CTRL_C + CTRL_C]) {
      terminal.type(`${train()}\n`);
      await terminal.until(/epoch \d+\/12  train loss/);
      await terminal.until(/epoch \d+\/12  train loss/);
      terminal.type(keys);
      await terminal.until(/stopping on SIGINT/);
      assert.equal(await terminal.code(), 130);
      assert((await wholeCheckpoints(cwd)) > 0);
    }
    await ends(cwd);
  });

  it('waits after ctrl-Z, and goes on with fg', async () => {
    const cwd = folder();
    const terminal = open(cwd);
    terminal.type(`${train()}\n`);
    await terminal.until(/epoch \d+\/12  train loss/);
    terminal.type(CTRL_Z);
    await terminal.until(/Stopped/);
    const log = join(models(cwd), '..', '..', 'logs');
    const size = () =>
      existsSync(log) ? readFileSync(join(log, 'localized_lora_42_0.1/events.jsonl')).length : 0;
    const before = size();
    await wait(300);
    assert.equal(size(), before);
    terminal.type('fg\n');
    await terminal.until(/finished after 12 epochs/);
    assert.equal(await terminal.code(), 0);
    await assertSameRun(cwd, unbroken);
  });

  it('is stopped when its window is closed, leaves whole files, and is resumed', async () => {
    const cwd = folder();
    const terminal = open(cwd);
    terminal.type(`${train()}; echo $? > code.txt\n`);
    await terminal.until(/epoch \d+\/12  train loss/);
    await terminal.until(/epoch \d+\/12  train loss/);
    await terminal.close();
    for (const lock = join(models(cwd), '.lock'); existsSync(lock); ) await wait(20);
    assert((await wholeCheckpoints(cwd)) > 0);
    assert(!existsSync(join(cwd, 'logs/localized_lora_42_0.1/summary.json')));
    await ends(cwd);
  });

  it('goes on to its end behind a pipe that is closed, and in windows of any width', async () => {
    for (const width of [20, 1, 0]) {
      const cwd = folder();
      const terminal = open(cwd);
      terminal.type(`stty cols ${width}; set -o pipefail; clear\n${train()} | head -1\n`);
      const shown = await terminal.until(/validation +soft Dice 0\.\d{4}/);
      assert.doesNotMatch(shown, /Error|NaN|undefined/);
      assert.equal(await terminal.code(), 0);
      await assertSameRun(cwd, unbroken);
    }
  });
});
