import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { from, lastValueFrom, toArray } from 'rxjs';
import sharp from 'sharp';
import { augment } from '../../../operators/augment.js';
import { decode } from '../../../operators/decode.js';
import { batchPlans } from '../../../src/data/batch-plans.js';
import type { Transform } from '../../../src/data/images/augmentations/augmentation.js';
import { augmentations } from '../../../src/data/images/augmentations/augmentations.js';
import { diskCache } from '../../../src/data/images/disk-cache.js';
import { memoryCache } from '../../../src/data/images/memory-cache.js';
import type { SampleCache } from '../../../src/data/images/sample-cache.js';
import type { Pair } from '../../../src/data/types.js';
import { loadSample } from '../../../src/tasks/segmentation/load-sample.js';
import { png } from './png-writer.js';

const SIZE = 12;

describe('sample caches', () => {
  let dir: string;
  let pairs: Pair[];
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-caches-'));
    pairs = [];
    // One is stored at the model's size, so that nothing is resized, and one is not.
    for (const [stem, width, height] of [
      ['same', SIZE, SIZE],
      ['wide', 2 * SIZE, SIZE],
      ['large', 3 * SIZE, 2 * SIZE],
    ] as const) {
      const [image, mask] = [join(dir, `${stem}.jpg`), join(dir, `${stem}.png`)];
      const bytes = Buffer.from(Array.from({ length: width * height * 3 }, (_, i) => (i * i * 7) % 251));
      writeFileSync(
        image,
        await sharp(bytes, { raw: { width, height, channels: 3 } })
          .png()
          .toBuffer(),
      );
      const ids = Array.from({ length: width * height }, (_, i) => 1 + (i % 3));
      writeFileSync(mask, png({ width, height, depth: 8, colour: 0 }, ids));
      pairs.push({ stem, image, mask });
    }
  });
  after(() => rmSync(dir, { recursive: true }));

  const kinds: Record<string, () => SampleCache> = {
    memory: () => memoryCache(),
    disk: () => diskCache(mkdtempSync(join(dir, 'cache-'))),
  };
  const plan = (pair: Pair, epoch = 1) => ({ item: pair, seed: 1, epoch, index: 0 });
  const always = (name: string): Transform => ({ ...augmentations.make(name), p: 1 });

  for (const [kind, make] of Object.entries(kinds))
    it(`${kind}: whatever augments, what is kept stays as it was decoded`, async () => {
      const names = fc.array(fc.constantFrom(...augmentations.names), {
        maxLength: 4,
      });
      await fc.assert(
        fc.asyncProperty(fc.nat(2), names, async (which, chosen) => {
          const pair = pairs[which]!;
          const cache = make();
          const plain = await loadSample(plan(pair), SIZE);
          for (let epoch = 1; epoch <= 3; epoch++) {
            const augmented$ = from([plan(pair, epoch)]).pipe(
              decode(SIZE, { cache }),
              augment(...chosen.map(always)),
            );
            await lastValueFrom(augmented$);
            const kept = await loadSample(plan(pair), SIZE, { cache });
            assert.deepEqual([kept.image, kept.mask], [plain.image, plain.mask]);
          }
        }),
        { numRuns: 30 },
      );
    });

  for (const [kind, make] of Object.entries(kinds))
    it(`${kind}: a stage of the user's own may change its samples in place`, async () => {
      const cache = make();
      const plain = await loadSample(plan(pairs[0]!), SIZE);
      for (let time = 0; time < 3; time++) {
        const sample = await loadSample(plan(pairs[0]!), SIZE, { cache });
        assert.deepEqual([sample.image, sample.mask], [plain.image, plain.mask]);
        sample.image.fill(7);
        sample.mask.fill(7);
      }
    });

  for (const [kind, make] of Object.entries(kinds))
    it(`${kind}: from any position on come the samples of an unbroken run`, async () => {
      const samples = (position: number) => {
        const cache = make();
        const plans = batchPlans(pairs, { epochs: 4, batchSize: 2, seed: 3, from: position });
        return lastValueFrom(
          from([...plans].flatMap((batch) => batch.samples)).pipe(
            decode(SIZE, { cache }),
            augment(always('color'), always('cutout'), always('blur')),
            toArray(),
          ),
        );
      };
      const unbroken = await samples(0);
      for (const position of [2, 5]) {
        const resumed = await samples(position);
        assert.ok(resumed.length > 0);
        assert.deepEqual(resumed, unbroken.slice(-resumed.length));
      }
    });
});
