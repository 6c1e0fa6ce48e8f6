// Shows what a model would see of a data set, and reports on all of it: a contact sheet after augmentation, the mask over
// each picture, sizes, class frequencies, duplicates across splits, and every fault of every file.
//
//   node recipes/preview-data.js --dataset data/dataset.yaml --augment flip,crop,color
//   npx millrace preview-data --image-dir data/images --mask-dir data/masks --mask-ids 0,255

import { join } from 'node:path';
import {
  augment,
  augmentations,
  batchPlans,
  classColours,
  cutTiles,
  dataReportText,
  decode,
  type MaskedSample,
  nameOf,
  reportData,
  UserError,
  writeContactSheet,
} from 'millrace';
import {
  checkDeepSettings,
  classNamesOf,
  dataFlags,
  dividedPairs,
  imageSizeFlag,
  maskFormatOf,
  openOutput,
  overwriteFlag,
  pixelFormatOf,
  printable,
  recipe,
  trainingFlags,
  writeFileAtomic,
} from 'millrace/recipe';
import { from, lastValueFrom, toArray } from 'rxjs';
import { z } from 'zod';

const FILES = ['contact-sheet.png', 'report.json'];

recipe({
  description: 'Shows what a model would see of a data set, and reports all faults of its files.',
  flags: {
    Data: dataFlags,
    Preview: {
      imageSize: imageSizeFlag.default(224).describe('size of the resized images: width x height, or a side'),
      augment: trainingFlags.augment,
      images: z.int().min(1).max(64).default(12).describe('training pictures on the contact sheet'),
      outputDir: z
        .string()
        .min(1)
        .default('results/preview-data')
        .describe(`folder of ${FILES.join(' and ')}`),
      overwrite: overwriteFlag,
    },
  },
  run: async (config) => {
    const { outputDir, images, imageSize, tiles, tileOverlap: overlap, randomSeed: seed } = config;
    openOutput(outputDir, FILES, config);
    const names = classNamesOf(config);
    const changes = config.augment.map((name) => augmentations.make(name));
    checkDeepSettings(config, changes, config.augment);
    const format = { ...maskFormatOf(config), pixels: pixelFormatOf(config) };
    const splits = await dividedPairs(config).catch((error: unknown) => {
      throw listed(error);
    });
    const report = await reportData(splits, { ...format, classes: names.length });
    await writeFileAtomic(
      join(outputDir, FILES[1]!),
      `${JSON.stringify({ ...report, names }, undefined, 2)}\n`,
    );
    process.stdout.write(printable(dataReportText(report, names)));

    const { faults } = report;
    const sound = splits.train.filter(
      ({ image, mask }) =>
        !faults.some((line) => line.startsWith(nameOf(image)) || line.startsWith(nameOf(mask))),
    );
    const pairs = sound.slice(0, images);
    if (pairs.length > 0) {
      const items =
        tiles === undefined ? pairs : (await cutTiles(pairs, { tiles, overlap })).slice(0, images);
      const [plan] = batchPlans(items, { batchSize: items.length, seed, shuffle: false });
      const samples$ = from(plan!.samples).pipe(decode(imageSize, format), augment(...changes), toArray());
      const samples = (await lastValueFrom(samples$)) as unknown as MaskedSample[];
      await writeContactSheet(join(outputDir, FILES[0]!), samples, names, classColours(format));
      process.stdout.write(printable(`${FILES.map((file) => join(outputDir, file)).join('\n')}\n`));
    }
    if (faults.length > 0)
      throw new UserError(
        `expected files that can be trained on, got ${faults.length} faults, listed above; mend them`,
      );
  },
});

/** An error of pairs, after a line for each of its faults. */
function listed(error: unknown): unknown {
  const faults = error instanceof UserError ? error.data['faults'] : undefined;
  if (!Array.isArray(faults)) return error;
  process.stdout.write(
    printable(`faults that stop a training: ${faults.length}\n  ${faults.join('\n  ')}\n`),
  );
  return new UserError(
    `expected pairs of images and masks, got ${faults.length} faults, listed above; mend them`,
  );
}
