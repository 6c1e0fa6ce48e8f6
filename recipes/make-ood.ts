// Makes out-of-domain copies of the test split: corruptions in the manner of ImageNet-C (Hendrycks & Dietterich 2019)
// and shifts of colour and texture. Training pictures are never drawn from, given the flags that trained.
//
//   node recipes/make-ood.js --image-dir data/pets/images --mask-dir data/pets/masks --out-dir data/pets-ood

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { encode } from 'fast-png';
import {
  corrupt,
  corruptions,
  maskPng,
  type Pair,
  type Palette,
  type Picture,
  paletteOf,
  readImage,
  readMaskIds,
  resizeBilinear,
  resizeNearest,
  type Severity,
  UserError,
} from 'millrace';
import { dataFlags, dividedPairs, nameIn, ownedFolder, recipe, recordPaths } from 'millrace/recipe';
import { concatMap, defer, from, lastValueFrom, mergeMap } from 'rxjs';
import { z } from 'zod';

const {
  maskIds: _ids,
  classNames: _names,
  fold: _fold,
  channels: _channels,
  range: _range,
  ...data
} = dataFlags;

recipe({
  description: 'Makes seeded out-of-domain copies of the test split, with masks, one folder per style.',
  flags: {
    Data: data,
    'Out of domain': {
      outDir: z.string().min(1).default('data/ood').describe('folder of <style>/images and <style>/masks'),
      styles: z
        .array(nameIn(corruptions))
        .min(1)
        .default(['gaussian_noise', 'motion_blur', 'fog', 'jpeg', 'hue_shift', 'texture', 'ink', 'mosaic'])
        .describe('corruptions and styles to apply'),
      severity: z.int().min(1).max(5).default(3).describe('strength'),
      imageSize: z
        .int()
        .min(8)
        .max(4096)
        .default(224)
        .describe('shorter side to which pictures are first shrunk'),
      images: z.int().min(1).default(100).describe('maximum number of pictures per style'),
    },
  },
  run: (config, signal) => {
    const { imageDir, maskDir, list, randomSeed, dataPercentage, outDir, styles, imageSize, images } = config;
    const severity = config.severity as Severity;
    const splitting = {
      seed: randomSeed,
      percentage: dataPercentage,
      rule: config.split,
      shrink: config.shrink,
    };
    const palette = config.maskPalette === undefined ? undefined : paletteOf(config.maskPalette);

    const makeOne = async (folder: string, style: string, pair: Pair) => {
      signal.throwIfAborted();
      const picture = await corrupt(
        await load(pair, imageSize, palette),
        style,
        severity,
        randomSeed,
        pair.stem,
      );
      const { width, height, image, mask } = picture;
      const files = {
        images: encode({ width, height, data: image, channels: 3, depth: 8 }),
        masks: await maskPng({ width, height, data: mask }, palette),
      };
      for (const [part, bytes] of Object.entries(files)) {
        const path = join(folder, style, part, `${pair.stem}.png`);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, bytes);
      }
    };

    const makeStyle = async (folder: string, style: string, pairs: readonly Pair[]) => {
      await lastValueFrom(from(pairs).pipe(mergeMap((pair) => makeOne(folder, style, pair), 2)));
      process.stderr.write(`${style}: ${pairs.length} pictures\n`);
    };

    return defer(() => dividedPairs(config)).pipe(
      concatMap(async ({ test }) => {
        const pairs = test.slice(0, images);
        if (pairs.length === 0)
          throw new UserError('--data-percentage: expected at least one test picture, got none; raise it');
        await ownedFolder(outDir, 'make-ood', async (folder) => {
          for (const style of styles) await makeStyle(folder, style, pairs);
          const stems = pairs.map(({ stem }) => stem);
          const paths = recordPaths({ imageDir, maskDir, list }, outDir);
          return { imageDir, maskDir, list, paths, ...splitting, severity, imageSize, styles, stems };
        });
        process.stdout.write(`${outDir}: ${styles.length} styles of ${pairs.length} test pictures each\n`);
      }),
    );
  },
});

/** A picture with its mask, shrunk to the shorter side, never enlarged. */
async function load({ image, mask }: Pair, shorter: number, palette?: Palette): Promise<Picture> {
  const [picture, ids] = await Promise.all([readImage(image), readMaskIds(mask, palette)]);
  if (picture.width !== ids.width || picture.height !== ids.height)
    throw new UserError(
      `${mask}: expected the size of ${image}, ${picture.width}×${picture.height}, got ${ids.width}×${ids.height}`,
    );
  const high = ids.data.find((id) => id > 255);
  if (high !== undefined) throw new UserError(`${mask}: expected ids up to 255, got ${high}`);
  const shrink = Math.min(1, shorter / Math.min(picture.width, picture.height));
  const [width, height] = [Math.round(picture.width * shrink), Math.round(picture.height * shrink)];
  const small = resizeBilinear(picture, width, height);
  const data = Uint8Array.from(ids.data);
  return { width, height, image: small.data, mask: resizeNearest({ ...ids, data }, width, height) };
}
