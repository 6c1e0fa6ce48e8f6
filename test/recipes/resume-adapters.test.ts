import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import { type SharedProcess, sharedProcess } from './run.js';
import { tinyBackbone, tinyFlags } from './tiny-backbone.js';

describe('--resume, by adapter', () => {
  let dir: string;
  let flags: string[];
  let shared: SharedProcess;
  before(async () => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    flags = tinyFlags(await tinyBackbone(dir), '--batch-size=4', '--schedule=constant');
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });

  const train = async (cwd: string, adapter: readonly string[], ...more: string[]) => {
    const { code, stderr } = await shared.run(
      'train',
      [...flags, ...adapter, '--run-name=run', ...more],
      cwd,
    );
    assert.equal(code, 0, stderr);
  };
  /** The files of the last checkpoint that training changes. */
  const weights = async (cwd: string) => {
    const path = (await checkpointStore(join(cwd, 'models', 'run')).last())!;
    return ['parameters.safetensors', 'optimizer.safetensors'].map((name) => readFileSync(join(path, name)));
  };

  for (const adapter of [
    ['--adapter=lora', '--init=pissa', '--lr-ratio=16'],
    ['--adapter=lora', '--init=olora'],
    ['--adapter=lora', '--freeze-a'],
    ['--adapter=lora', '--init=eva'],
    ['--adapter=lora', '--dora', '--bias=lora_only'],
    ['--adapter=shira'],
    ['--adapter=hira'],
    ['--adapter=miss'],
  ])
    it(`${adapter.join(' ')} goes on bit for bit`, async () => {
      const [unbroken, broken] = [mkdtempSync(join(dir, 'whole-')), mkdtempSync(join(dir, 'broken-'))];
      await train(unbroken, adapter, '--epochs=3');
      await train(broken, adapter, '--epochs=1');
      const before = await weights(broken);
      await train(broken, adapter, '--epochs=3', '--resume');
      assert.deepEqual(await weights(broken), await weights(unbroken));
      assert.notDeepEqual(await weights(broken), before);
    });
});
