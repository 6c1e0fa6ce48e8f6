import assert from 'node:assert/strict';
import { linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { from, lastValueFrom } from 'rxjs';
import sharp from 'sharp';
import { batch } from '../../../operators/batch.js';
import { decode } from '../../../operators/decode.js';
import { normalize } from '../../../operators/normalize.js';
import { batchPlans } from '../../../src/data/batch-plans.js';
import { IMAGENET } from '../../../src/data/images/normalization.js';
import { interleave } from '../../../src/data/interleave.js';
import { sequence, shard } from '../../../src/data/sequence.js';
import { openShards, type ShardImage, type Shards } from '../../../src/data/shards/shards.js';
import { randomStream } from '../../../src/random/random-stream.js';
import { labelTensor } from '../../../src/tasks/classification/label-tensor.js';
import { tar } from '../../files/tar-writer.js';

const SHARDS = 10_000;
const SAMPLES = 1000;
const BATCH = 100;
const COUNT = SHARDS * SAMPLES;

/** Ten million samples: one shard of a thousand pictures, and 9,999 further names of it and of its index. */
describe('ten million samples in ten thousand shards', () => {
  let dir: string;
  let items: Shards<ShardImage>;
  const plan = () => ({ batchSize: BATCH, seed: 42, shuffle: interleave(items.lengths) });
  const mebibytes = () => process.memoryUsage().rss / 2 ** 20;
  const name = (i: number) => join(dir, `data-${String(i).padStart(4, '0')}.tar`);
  const open = () => openShards(join(dir, 'data-{0000..9999}.tar'), { needs: 'label' });

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-many-'));
    const picture = await sharp({ create: { width: 32, height: 32, channels: 3, background: '#336699' } })
      .jpeg()
      .toBuffer();
    const members = Array.from({ length: SAMPLES }, (_, i) => i).flatMap((i): [string, string | Buffer][] => [
      [`${i}.jpg`, picture],
      [`${i}.cls`, `${i % 10}`],
    ]);
    writeFileSync(name(0), tar(Object.fromEntries(members)));
    await openShards(name(0));
    for (let i = 1; i < SHARDS; i++) {
      linkSync(name(0), name(i));
      linkSync(`${name(0)}.index`, `${name(i)}.index`);
    }
  });
  after(() => rmSync(dir, { recursive: true }));

  it('open, and the first batch is there', async () => {
    const start = performance.now();
    items = await open();
    const opened = performance.now();
    const first = batchPlans(items, plan()).at(0)!;
    const planned = performance.now();
    const load$ = from(first.samples).pipe(decode(32), normalize(IMAGENET), batch(first, labelTensor));
    const loaded = await lastValueFrom(load$);
    const end = performance.now();
    loaded.dispose();
    assert.equal(items.length, COUNT);
    const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
    console.log(
      `      opened in ${seconds(opened - start)}, planned in ${seconds(planned - opened)}, the first batch after ${seconds(end - start)}`,
    );
  });

  it('are planned in flat memory', () => {
    const plans = batchPlans(items, plan());
    for (let i = 0; i < 500; i++) plans.at(i);
    const before = mebibytes();
    // Twenty blocks of sixteen shards, far apart.
    for (let block = 0; block < 20; block++)
      for (let i = 0; i < 160; i++) plans.at(((block * 31) % 600) * 160 + i);
    const grown = mebibytes() - before;
    console.log(`      ${before.toFixed(0)} MiB, grown by ${grown.toFixed(0)} over 320,000 samples`);
    assert.ok(grown < 200, `grew by ${grown} MiB`);
  });

  it('are each visited once by 1 to 7 workers', () => {
    const light = sequence(COUNT, (i) => ({ stem: String(i), image: '' }));
    const order = interleave(items.lengths)(COUNT, 42, 1);
    const seen = new Uint8Array(COUNT);
    for (let i = 0; i < COUNT; i++) seen[order(i)]!++;
    assert.ok(
      seen.every((count) => count === 1),
      'the order visits each sample once',
    );
    for (let count = 1; count <= 7; count++) {
      const positions = new Uint8Array(COUNT / BATCH);
      for (let index = 0; index < count; index++) {
        const own = shard(
          sequence(COUNT / BATCH, (i) => i),
          { index, count },
        );
        for (const position of own) positions[position]!++;
        // The plan at a place of the worker is the whole order's at the position.
        const at = Math.floor(own.length / 2);
        const mine = shard(batchPlans(light, plan()), { index, count }).at(at)!;
        assert.equal(mine.position, own.at(at));
        assert.deepEqual(
          mine.samples.map((one) => one.index),
          Array.from({ length: BATCH }, (_, k) => order(mine.position * BATCH + k)),
        );
      }
      assert.ok(
        positions.every((times) => times === 1),
        `${count} workers`,
      );
    }
  });

  it('go on at 50 random positions with another number of workers', () => {
    const whole = batchPlans(items, plan());
    const random = randomStream(7, 'positions');
    for (let i = 0; i < 50; i++) {
      const position = Math.floor(random() * whole.length);
      const count = 1 + Math.floor(random() * 7);
      const rest = batchPlans(items, { ...plan(), from: position });
      for (let next = 0; next < 2 * count && position + next < whole.length; next++) {
        const worker = shard(rest, { index: next % count, count });
        assert.deepEqual(worker.at(Math.floor(next / count)), whole.at(position + next));
      }
    }
  });
});
