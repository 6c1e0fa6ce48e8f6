import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { fixture } from '../base/fixture.js';
import { whatIsThere } from '../base/what-is-there.js';
import { readUnless } from '../cli/flag.js';
import { classCount, declaredIds, type MaskIds } from '../tasks/segmentation/mask-ids.js';
import type { Palette } from '../tasks/segmentation/palette.js';
import { datasetFlag } from './dataset-file.js';
import { foldFlag } from './fold.js';
import { imageSizeFlag } from './image-size-flag.js';
import { pairSourceFlags, splitByFlag } from './item-sources.js';
import { maskIdsFlag } from './mask-ids-flag.js';
import { maskPaletteFlag } from './mask-palette-flag.js';

const files = (what: string) => z.array(z.string().min(1)).min(1).optional().describe(what);

/** Names on the command line, or `@names.txt`: a line of the file for each. */
export const classNamesFlag = z
  .array(z.string().min(1))
  .transform((names) => names.flatMap(namesIn))
  .refine((names) => new Set(names).size === names.length, 'expected each name once')
  .optional()
  .meta({
    single: true,
    description:
      'names of the classes in plots, in the order of the classes, or @names.txt, a line each; default: those of --mask-palette, pet,background,border for 1,2,3, else the ids',
  });

/** How pictures become numbers. */
export const pixelFlags = {
  channels: z
    .int()
    .min(1)
    .max(1024)
    .optional()
    .describe(
      'channels of each picture: bands, or pages of a TIFF; the patch embedding is adapted as timm does; default: 3',
    ),
  range: z
    .array(z.number())
    .length(2)
    .refine(([low, high]) => low! < high!, 'expected the lower value first')
    .optional()
    .meta({
      single: true,
      description:
        'values of pixels that become 0 and 1, such as 0,10000; keeps 16 bits; default: all of 8 bits, or of 16 with other than 3 channels',
    }),
};

/** A number for each channel. */
const statistics = (number: z.ZodNumber) => z.array(number).min(1);

/** Statistics that pixels are normalised by, in place of the pretrained model's. */
export const normalizationFlags = {
  mean: statistics(z.number()).optional().meta({
    single: true,
    description:
      "means of the channels (red, green and blue), of pixels from 0 to 1; default: the model's, repeated for other channels",
  }),
  std: statistics(z.number().gt(0))
    .optional()
    .meta({ single: true, description: "their standard deviations; default: the model's" }),
};

/** Flags that cut pictures into tiles. */
export const tileFlags = {
  tiles: imageSizeFlag.optional().meta({
    expects: 'width x height or the side of a square',
    defaults: (value: unknown) => ({ from: '--tiles', values: { imageSize: value } }),
    description:
      'size of the tiles into which pictures are cut at their own size, and the default of --image-size; default: pictures are resized whole',
  }),
  tileOverlap: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe("share of a tile's side that the next one has, too; default: 0.25"),
};

/** Flags of the data: pictures, masks and the split. */
export const dataFlags = {
  dataset: datasetFlag,
  imageDir: z
    .string()
    .min(1)
    .default(fixture('creatures', 'plain', 'images'))
    .describe('folder of images'),
  maskDir: z
    .string()
    .min(1)
    .default(fixture('creatures', 'plain', 'masks'))
    .describe('folder of masks'),
  ...pairSourceFlags,
  list: z
    .array(z.string().min(1))
    .default([])
    .describe('list files that select pairs, such as trainval.txt,test.txt'),
  imageSuffix: z
    .string()
    .min(1)
    .optional()
    .describe("end of the images' names that the masks' have not, such as _leftImg8bit"),
  maskSuffix: z
    .string()
    .min(1)
    .optional()
    .describe("end of the masks' names that the images' have not, such as _mask"),
  ...pixelFlags,
  maskPalette: maskPaletteFlag,
  maskIds: maskIdsFlag,
  classNames: classNamesFlag,
  dataPercentage: z.number().gt(0).max(1).default(1).describe('share of the pairs to use'),
  randomSeed: z
    .int()
    .min(0)
    .default(42)
    .describe('seeds subset, split, shuffle, augmentation and initial weights'),
  split: z
    .enum(['upstream', 'hash', 'folders', 'lists'])
    .default('upstream')
    .describe(
      "upstream = CPython's shuffle, 70/20/10; hash = each pair by its own name, stable under added files; folders = by the sub-folders train, val and test; lists = by --train-list and the others",
    ),
  splitBy: splitByFlag,
  fold: foldFlag,
  trainList: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .meta({
      defaults: () => ({ from: '--train-list', values: { split: 'lists' } }),
      description: 'list files of the training pairs: the official split, in place of --split',
    }),
  validationList: files('list files of the validation pairs'),
  testList: files('list files of the test pairs'),
  shrink: readUnless(
    z
      .enum(['all', 'keep-test'])
      .default('all')
      .describe('splits that --data-percentage shrinks: all, or all but the test split'),
    ({ dataPercentage }) => (dataPercentage === 1 ? '--data-percentage 1 shrinks nothing' : undefined),
  ),
  ...tileFlags,
};

/** The settings that say how masks store classes. */
export interface MaskSettings {
  readonly maskIds: MaskIds;
  readonly maskPalette?: string | Palette | undefined;
  readonly classNames?: readonly string[] | undefined;
}

/**
 * The names of the classes of these masks, in the order of the classes.
 *
 * @throws UserError where there is not one name for each class.
 */
export function classNamesOf({
  maskIds,
  classNames,
}: Pick<MaskSettings, 'maskIds' | 'classNames'>): readonly string[] {
  const declared = declaredIds(maskIds);
  const text = declared.map(([id]) => id).join();
  const count = classCount(maskIds);
  const idsOf = (k: number) => declared.filter(([, own]) => own === k).map(([id]) => id);
  const names =
    classNames ??
    (Array.isArray(maskIds) && text === '1,2,3'
      ? ['pet', 'background', 'border']
      : Array.from({ length: count }, (_, k) => idsOf(k).join('+')));
  if (names.length === count) return names;
  throw new UserError(
    `--class-names: expected a name for each of ${Array.isArray(maskIds) ? `--mask-ids ${text}` : `the ${count} classes of --mask-ids`}, got ${names.join()}`,
    { classNames },
  );
}

/** The names in a file that `@` points to, or the name itself. */
function namesIn(name: string): string[] {
  if (!name.startsWith('@')) return [name];
  const path = name.slice(1);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UserError(
      `--class-names ${name}: expected a file of names, a line each, got ${whatIsThere(cause as NodeJS.ErrnoException)}`,
      { path },
      { cause },
    );
  }
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  return lines.map((line) => line.trim()).filter((line) => line !== '');
}
