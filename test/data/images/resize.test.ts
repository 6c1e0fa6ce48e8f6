import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readImage, readMask } from '../../../src/data/images/image-file.js';
import { resizeBilinear, resizeNearest } from '../../../src/data/pixels/resize.js';
import { needsSharedData } from '../../shared-data.js';

/** Made by golden/make_pillow.py. */
const golden = JSON.parse(readFileSync(new URL('golden/pillow.json', import.meta.url), 'utf8')) as {
  resize: { width: number; height: number; to: number; bilinear: string; nearest: string }[];
  pets: { images: string; masks: string };
};

const picture = (width: number, height: number, channels: number) =>
  Uint8Array.from(
    { length: width * height * channels },
    (_, i) => (i * i * 7 + i * 31 + (i >> 3) * 13) % 256,
  );

describe('resize', () => {
  for (const { width, height, to, bilinear, nearest } of golden.resize)
    it(`gives Pillow's bytes for ${width}×${height} → ${to}×${to}`, () => {
      const image = resizeBilinear({ width, height, data: picture(width, height, 3) }, to, to);
      assert.equal(Buffer.from(image.data).toString('base64'), bilinear);
      const mask = resizeNearest({ width, height, data: picture(width, height, 1) }, to, to);
      assert.equal(Buffer.from(mask).toString('base64'), nearest);
    });

  it("decodes and resizes photographs and trimaps to Pillow's bytes", async function () {
    const pets = needsSharedData(this, 'oxford_pets_3breeds');
    const images = createHash('sha256');
    const masks = createHash('sha256');
    const files = readdirSync(join(pets, 'images')).toSorted();
    for (const file of files.filter((_, i) => i % 15 === 0)) {
      images.update(resizeBilinear(await readImage(join(pets, 'images', file)), 224, 224).data);
      const mask = await readMask(join(pets, 'annotations/trimaps', file.replace('.jpg', '.png')));
      masks.update(resizeNearest({ ...mask, data: Uint8Array.from(mask.data) }, 224, 224));
    }
    assert.deepEqual({ images: images.digest('hex'), masks: masks.digest('hex') }, golden.pets);
  });
});
