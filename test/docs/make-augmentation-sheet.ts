/**
 * Makes docs/augmentation.jpg: each augmentation, preset and mixer on embedded pictures, masks over them.
 *
 *     node --import tsx test/docs/make-augmentation-sheet.ts
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { fixture } from '../../src/base/fixture.js';
import { augmentSample } from '../../src/data/images/augmentations/augment-sample.js';
import { augmentations } from '../../src/data/images/augmentations/augmentations.js';
import { mixedSample, mixPlan } from '../../src/data/images/mixing/mix-plans.js';
import { mixers } from '../../src/data/images/mixing/mixers.js';
import type { MaskedSample, SamplePlan } from '../../src/data/types.js';
import { loadSample } from '../../src/tasks/segmentation/load-sample.js';
import { findPairs } from '../../src/tasks/segmentation/pairs.js';

const SIDE = 112;
const GAP = 6;
const LINE = 17;
const COLUMNS = 8;
/** The picture, and a place of the draws at which most augmentations are easy to see. */
const [INDEX, EPOCH, SEED] = [31, 4, 7];

const pairs = await findPairs(
  fixture('creatures', 'plain', 'images'),
  fixture('creatures', 'plain', 'masks'),
);
const load = (plan: SamplePlan) => loadSample(plan, SIDE);
const own: SamplePlan = { item: pairs[INDEX]!, seed: SEED, epoch: EPOCH, index: INDEX };

/** The picture, the creature tinted blue and its border orange; ignored pixels are white with grey stripes. */
function shown({ image, mask }: MaskedSample, masked: boolean): Uint8Array {
  const out = new Uint8Array(image);
  const tints: Record<number, readonly [number, number, number]> = { 0: [0, 114, 255], 2: [255, 140, 0] };
  if (!masked) return out;
  mask.forEach((id, i) => {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    const ignored = (x + y) % 8 < 2 ? 205 : 245;
    const tint = tints[id];
    for (let k = 0; k < 3; k++) {
      if (id === 255) out[3 * i + k] = ignored;
      else if (tint) out[3 * i + k] = 0.65 * out[3 * i + k]! + 0.35 * tint[k]!;
    }
  });
  return out;
}

async function mixedBy(name: string): Promise<Uint8Array> {
  const plan = mixPlan(own, pairs, [{ ...mixers.make(name), p: 1 }]);
  const samples = await Promise.all(plan.plans.map(load));
  const bare = name === 'mixup';
  const parts = bare
    ? samples.map(({ plan: one, width, height, image }) => ({ plan: one, width, height, image }))
    : samples;
  return shown(mixedSample(plan, parts) as MaskedSample, !bare);
}

const panels: { readonly name: string; readonly image: Uint8Array }[] = [];
panels.push({ name: 'as it is', image: shown(await load(own), true) });
for (const name of augmentations.names) {
  const changed = await augmentSample(await load(own), [{ ...augmentations.make(name), p: 1 }]);
  panels.push({ name, image: shown(changed, true) });
}
for (const name of mixers.names) panels.push({ name, image: await mixedBy(name) });

const rows = Math.ceil(panels.length / COLUMNS);
const [width, height] = [COLUMNS * (SIDE + GAP) + GAP, rows * (SIDE + LINE + GAP) + GAP];
const place = (i: number) => ({
  left: GAP + (i % COLUMNS) * (SIDE + GAP),
  top: GAP + Math.floor(i / COLUMNS) * (SIDE + LINE + GAP),
});
const titles = panels.map(({ name }, i) => {
  const { left, top } = place(i);
  return `<text x="${left}" y="${top + LINE - 5}" font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="12">${name}</text>`;
});
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${titles.join('')}</svg>`;
await sharp({ create: { width, height, channels: 3, background: 'white' } })
  .composite([
    ...panels.map(({ image }, i) => ({
      input: Buffer.from(image),
      raw: { width: SIDE, height: SIDE, channels: 3 as const },
      left: place(i).left,
      top: place(i).top + LINE,
    })),
    { input: Buffer.from(svg), left: 0, top: 0 },
  ])
  .jpeg({ quality: 75 })
  .toFile(join(fileURLToPath(new URL('../..', import.meta.url)), 'docs', 'augmentation.jpg'));
