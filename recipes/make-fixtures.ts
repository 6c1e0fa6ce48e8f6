// Draws the embedded data set again, byte for byte: creatures on textured grounds, in a plain and a styled domain.
//
//   node recipes/make-fixtures.js --out-dir fixtures/creatures

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { fixture, randomStream } from 'millrace';
import { creatureScene, ownedFolder, recipe, STYLES, trimap } from 'millrace/recipe';
import sharp from 'sharp';
import { z } from 'zod';

recipe({
  description: 'Draws the embedded two-domain data set: creatures to segment among things and backgrounds.',
  flags: {
    Fixture: {
      outDir: z.string().min(1).default(fixture('creatures')).describe('folder to create or replace'),
      plain: z.int().min(1).default(200).describe('pairs in the plain domain'),
      styled: z.int().min(1).default(20).describe('pairs in each style of the other domain'),
      randomSeed: z.int().min(0).default(42).describe('seed of every picture'),
    },
  },
  run: async ({ outDir, plain, styled, randomSeed }, signal) => {
    await ownedFolder(outDir, 'make-fixtures', async (folder) => {
      const lists = new Map<string, string[]>();
      const pair = async (domain: string, index: number, style?: keyof typeof STYLES) => {
        signal.throwIfAborted();
        const random = randomStream(randomSeed, 'creatures', domain, index);
        const side = () => 96 + 8 * Math.floor(5 * random());
        const { width, height, image, labels, family } = creatureScene(random, side(), side());
        const pixels = style ? STYLES[style](image, width, height, random) : image;
        const [images, masks] = [join(folder, domain, 'images'), join(folder, domain, 'masks')];
        await mkdir(images, { recursive: true });
        await mkdir(masks, { recursive: true });
        const stem = `${family}_${index + 1}`;
        const jpeg = sharp(pixels, { raw: { width, height, channels: 3 } }).jpeg({ quality: 85 });
        await writeFile(join(images, `${stem}.jpg`), await jpeg.toBuffer());
        const mask = { width, height, data: trimap(labels, width, height), channels: 1, depth: 8 } as const;
        await writeFile(join(masks, `${stem}.png`), encode(mask));
        lists.set(domain, [...(lists.get(domain) ?? ['file,label']), `images/${stem}.jpg,${family}`]);
      };
      for (let index = 0; index < plain; index++) await pair('plain', index);
      for (const style of Object.keys(STYLES) as (keyof typeof STYLES)[])
        for (let index = 0; index < styled; index++) await pair(`styled/${style}`, index, style);
      for (const [domain, lines] of lists)
        await writeFile(join(folder, domain, 'labels.csv'), `${lines.join('\n')}\n`);
      return { plain, styled, styles: Object.keys(STYLES), randomSeed };
    });
    process.stdout.write(
      `${outDir}: ${plain} plain pairs, ${styled} in each of ${Object.keys(STYLES).join(', ')}\n`,
    );
  },
});
