// Fetches the Oxford-IIIT Pet set (Parkhi et al. 2012; 7,390 pictures with trimaps, 812 MB) and lays it out for training.
//
//   node recipes/prepare-pets.js --out-dir data/pets
//   node recipes/train-localized.js --image-dir data/pets/images --mask-dir data/pets/masks

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from 'millrace';
import { download, ownedFolder, percentLines, recipe, retryLines, tarGzFiles } from 'millrace/recipe';
import { z } from 'zod';

const digest = z
  .string()
  .regex(/^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$/)
  .describe('expected checksum of the archive, md5:… or sha256:…');

recipe({
  description: 'Downloads, verifies and unpacks the Oxford-IIIT Pet set; resumes an interrupted download.',
  flags: {
    Pets: {
      outDir: z
        .string()
        .min(1)
        .default('data/pets')
        .describe('folder of images/, masks/, trainval.txt and test.txt'),
      url: z
        .url({ protocol: /^https?$/, error: 'expected an http or https address' })
        .default('https://www.robots.ox.ac.uk/~vgg/data/pets/data/')
        .describe('address of the archives'),
      archiveDir: z.string().min(1).default('data/archives').describe('folder of the downloaded archives'),
      keepArchives: z.boolean().default(false).describe('keep the archives after unpacking'),
      imagesChecksum: digest.default('md5:5c4f3ee8e5d25df40f4fd59a7f44e54c'),
      annotationsChecksum: digest.default('md5:95a8c909bbe2e81eed6a22bccdf3f68f'),
    },
  },
  run: async (config, signal) => {
    const archives = [
      { file: 'annotations.tar.gz', checksum: config.annotationsChecksum },
      { file: 'images.tar.gz', checksum: config.imagesChecksum },
    ];
    const base = config.url.endsWith('/') ? config.url : `${config.url}/`;
    for (const { file, checksum } of archives) {
      const options = { checksum, signal, progress: percentLines(file), retry: retryLines(file) };
      await download(new URL(file, base).href, join(config.archiveDir, file), options);
    }

    await ownedFolder(config.outDir, 'prepare-pets', async (folder) => {
      await mkdir(join(folder, 'images'));
      await mkdir(join(folder, 'masks'));
      const counts = { images: 0, masks: 0 };
      for (const { file } of archives) {
        for await (const { path: inside, data } of tarGzFiles(join(config.archiveDir, file))) {
          signal.throwIfAborted();
          const to = place(inside);
          if (to === undefined) continue;
          await writeFile(join(folder, to), data);
          if (to.startsWith('images/')) counts.images++;
          if (to.startsWith('masks/')) counts.masks++;
        }
      }
      if (counts.images === 0 || counts.masks === 0)
        throw new UserError(
          `${base}: expected pictures and trimaps, got ${counts.images} and ${counts.masks}`,
          counts,
        );
      process.stdout.write(`${config.outDir}: ${counts.images} images, ${counts.masks} masks\n`);
      return { url: base, ...counts, checksums: archives.map((archive) => archive.checksum) };
    });
    if (!config.keepArchives) for (const { file } of archives) await rm(join(config.archiveDir, file));
  },
});

/**
 * The target of a file of the archives; undefined if training does not need it (boxes, MATLAB files, Finder's own).
 */
function place(path: string): string | undefined {
  const name = basename(path);
  if (name.startsWith('.')) return undefined;
  if (/^images\/[^/]+\.jpg$/.test(path)) return `images/${name}`;
  if (/^annotations\/trimaps\/[^/]+\.png$/.test(path)) return `masks/${name}`;
  return /^annotations\/(trainval|test)\.txt$/.test(path) ? name : undefined;
}
