import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import { assertSameRun, killedRuns, MOMENTS, models, resumable, unbrokenRun } from './killed-runs.js';
import { type SharedProcess, sharedProcess } from './run.js';

describe('--resume', () => {
  let dir: string;
  let flags: string[];
  let unbroken: string;
  let shared: SharedProcess;
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    flags = await resumable(dir);
    unbroken = await unbrokenRun(dir, flags);
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });

  it('ends with the same weights and events after kills in each phase', async () => {
    const { folders, later } = await killedRuns(dir, flags, MOMENTS);
    for (const cwd of folders) await assertSameRun(cwd, unbroken);
    assert(later > 3, `${later} kills came after a checkpoint`);
  });

  it('tests a finished run again, and changes nothing', async () => {
    const cwd = mkdtempSync(join(dir, 'finished-'));
    cpSync(unbroken, cwd, { recursive: true });
    const { code, stderr } = await shared.run('train-localized', [...flags, '--resume'], cwd);
    assert.equal(code, 0, stderr);
    await assertSameRun(cwd, unbroken);
  });

  describe('refuses by name, and changes nothing', () => {
    const cases = [
      [
        'a truncated checkpoint',
        (path: string) => truncateSync(join(path, 'parameters.safetensors'), 500),
        [],
        /step-\d+\/parameters\.safetensors: expected .*got/,
      ],
      [
        'one whose bytes are not what was written',
        (path: string, other: string) =>
          copyFileSync(join(other, 'optimizer.safetensors'), join(path, 'optimizer.safetensors')),
        [],
        /step-\d+\/optimizer\.safetensors: expected the bytes that were written, got others/,
      ],
      [
        'a foreign one',
        (path: string) => copyFileSync(join(path, 'parameters.safetensors'), join(path, 'checkpoint.json')),
        [],
        /step-\d+\/checkpoint\.json: expected a checkpoint of this project, got a file that is not JSON/,
      ],
      ['other settings', () => {}, ['--lr=0.5'], /step-\d+: expected the settings .* lr 0\.002, got 0\.5/],
      ['another model', () => {}, ['--r-block=1'], /step-\d+: expected the settings .* rBlock 2, got 1/],
    ] as const;
    for (const [what, harm, args, message] of cases)
      it(what, async () => {
        const cwd = mkdtempSync(join(dir, 'harmed-'));
        cpSync(unbroken, cwd, { recursive: true });
        const paths = await checkpointStore(models(cwd)).list();
        harm(paths.at(-1)!, paths.at(-2)!);
        const before = readdirSync(cwd, { recursive: true });
        const { code, stderr } = await shared.run('train-localized', [...flags, '--resume', ...args], cwd);
        assert.equal(code, 1, stderr);
        assert.match(stderr, message);
        const said = stderr
          .trimEnd()
          .split('\n')
          .filter((line) => !/^(wasm: |--metric )/.test(line));
        assert.match(said.join('\n'), /^train-localized: .*$/);
        assert.deepEqual(readdirSync(cwd, { recursive: true }), before);
      });
  });
});
