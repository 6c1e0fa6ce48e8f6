// Prints a digest of augmented batches, by whatever code decodes and augments them in this process.
import { createHash } from 'node:crypto';
import { setBackend } from '@tensorflow/tfjs-core';
import { concatMap, from, lastValueFrom, toArray } from 'rxjs';
import '../../../src/engine/tfjs.js';
import { augment } from '../../../operators/augment.js';
import { batch } from '../../../operators/batch.js';
import { decode } from '../../../operators/decode.js';
import { imageMaskPairs } from '../../../operators/image-mask-pairs.js';
import { IMAGENET, normalize } from '../../../operators/normalize.js';
import { fixture } from '../../../src/base/fixture.js';
import { batchPlans } from '../../../src/data/batch-plans.js';
import { augmentations } from '../../../src/data/images/augmentations/augmentations.js';
import { memoryCache } from '../../../src/data/images/memory-cache.js';

const [imageDir, maskDir] = process.argv.slice(2);
await setBackend('cpu');
const pairs$ = imageMaskPairs(
  imageDir ?? fixture('creatures', 'plain', 'images'),
  maskDir ?? fixture('creatures', 'plain', 'masks'),
);
const pairs = (await lastValueFrom(pairs$)).slice(0, 24);
const digest = createHash('sha256');
const cache = memoryCache();
for (const names of [
  [],
  ['flip', 'rotate', 'crop', 'color'],
  ['noise', 'blur', 'cutout'],
  ['elastic', 'gamma', 'gray'],
]) {
  const changes = names.map((name) => augmentations.make(name));
  const plans = [...batchPlans(pairs, { epochs: 2, batchSize: 5, seed: 7 })];
  const batches = await lastValueFrom(
    from(plans).pipe(
      concatMap((plan) =>
        from(plan.samples).pipe(
          decode({ width: 70, height: 50 }, { cache }),
          augment(...changes),
          normalize(IMAGENET),
          batch(plan),
        ),
      ),
      toArray(),
    ),
  );
  for (const { inputs, targets, dispose } of batches) {
    digest.update(inputs.dataSync()).update(targets.dataSync());
    dispose();
  }
}
process.stdout.write(digest.digest('hex'));
