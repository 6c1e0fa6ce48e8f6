import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { summary } from '../../src/loggers/summary.js';
import { log, withFolder } from './log.js';
import { later, runEvent, sampleRun, scores } from './sample-run.js';

const read = async (dir: string) =>
  JSON.parse(await readFile(join(dir, 'summary.json'), 'utf8')) as Record<string, unknown>;

describe('summary', () => {
  it('holds what tables compare, in full precision', () =>
    withFolder(async (dir) => {
      await log(summary(dir)({}), sampleRun());
      const { loss, confusion: _, ...rest } = scores(0.5 + 3 / 10);
      assert.deepEqual(await read(dir), {
        run: 'lora_42',
        adapter: 'lora',
        adapterParameters: 1536,
        headParameters: 2307,
        engine: 'cpu',
        precision: 'f32',
        seed: 42,
        epochs: 3,
        seconds: 12.5,
        imagesPerSecond: 8,
        validation: { loss, ...rest },
        test: rest,
      });
    }));

  it('adds up the seconds of a resumed run', () =>
    withFolder(async (dir) => {
      const whole = sampleRun();
      const earlier = whole.slice(0, 8); // to the checkpoint after 4.4 s
      const begun = runEvent({ time: runEvent().time + 4400 });
      await log(summary(dir)({ earlier }), later([begun, ...whole.slice(8)], 3600));
      assert.deepEqual({ ...(await read(dir)), seconds: 0 }, { ...(await unbroken()), seconds: 0 });
      assert.ok(Math.abs(((await read(dir)).seconds as number) - 12.5) < 1e-9);
    }));

  it('is not written by a run that was cut short', () =>
    withFolder(async (dir) => {
      await log(summary(dir)({}), sampleRun().slice(0, -1));
      assert.deepEqual(await readdir(dir), []);
    }));
});

async function unbroken(): Promise<Record<string, unknown>> {
  let result: Record<string, unknown> = {};
  await withFolder(async (dir) => {
    await log(summary(dir)({}), sampleRun());
    result = await read(dir);
  });
  return result;
}
