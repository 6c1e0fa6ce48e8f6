import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../base/errors.js';
import type { Outlines, Shape } from '../outlines/outlines.js';
import { stemOf } from '../stem.js';
import { IGNORE_INDEX, type Pair } from '../types.js';

/** The pairs of a COCO file, and the ids that their masks store. */
export interface CocoPairs {
  readonly pairs: readonly (Pair & { readonly image: string; readonly mask: Outlines })[];
  /** 0, what no annotation covers, and the ids of the categories, in their order: the ids of masks. */
  readonly ids: readonly number[];
  /** `background`, and the names of the categories. */
  readonly classNames: readonly string[];
}

/** Options of `readCoco`. */
export interface CocoOptions {
  /** The folder of the images. Default: the folder of the file. */
  readonly imageDir?: string | undefined;
}

const numbers = z.array(z.number());
const file = z.object({
  images: z.array(
    z.object({ id: z.int(), file_name: z.string().min(1), width: z.int().min(1), height: z.int().min(1) }),
  ),
  annotations: z.array(
    z.object({
      image_id: z.int(),
      category_id: z.int(),
      iscrowd: z.union([z.literal(0), z.literal(1), z.boolean()]).optional(),
      segmentation: z
        .union([
          z.array(numbers),
          z.object({ counts: z.union([numbers, z.string()]), size: z.tuple([z.int(), z.int()]) }),
        ])
        .optional(),
    }),
  ),
  categories: z.array(z.object({ id: z.int(), name: z.string() })),
});

/** The ids of masks and the names of classes that the categories of a COCO file give; nothing where they are none. */
export function categoriesOf(json: unknown): { maskIds?: number[]; classNames?: string[] } {
  const { success, data } = file.shape.categories.safeParse(
    (json as { categories?: unknown } | null)?.categories,
  );
  if (!success) return {};
  const sorted = data.toSorted((a, b) => a.id - b.id);
  return {
    maskIds: [0, ...sorted.map(({ id }) => id)],
    classNames: ['background', ...sorted.map(({ name }) => name)],
  };
}

/** The number of files that are looked for at a time. */
const CONCURRENCY = 64;

/**
 * The images of a COCO JSON file with their masks: polygons and run lengths, compressed or not, are drawn when a mask is
 * read, bit for bit as pycocotools draws them.
 *
 * A mask stores the category's id, and 0 where nothing is annotated; later annotations lie over earlier ones, and crowds
 * (`iscrowd`) below all of them, as ignored pixels. Images without annotations are background throughout. Annotations
 * without a segmentation count for nothing.
 *
 * @throws UserError naming the file, for what is no such JSON, an image that is missing or listed twice, an annotation of an
 *   unknown image or category, run lengths of another size, and categories of the ids 0 or 255 or above 65535.
 * @example
 * const { pairs, ids, classNames } = await readCoco('annotations/instances_val.json', { imageDir: 'val' });
 * const plans = batchPlans(pairs, { batchSize: 8, seed: 42 });
 */
export async function readCoco(
  path: string,
  { imageDir = dirname(path) }: CocoOptions = {},
): Promise<CocoPairs> {
  const fail = (expected: string, got: string, cause?: unknown) =>
    new UserError(`${path}: expected ${expected}, got ${got}`, { path }, { cause });
  const { images, annotations, categories } = parsed(await textOf(path, fail), fail);
  const sorted = categories.toSorted((a, b) => a.id - b.id);
  sorted.forEach(({ id, name }, i) => {
    if (id < 1 || id > 65_535 || id === IGNORE_INDEX || sorted[i + 1]?.id === id)
      throw fail(
        `categories with an id each, from 1 to 65535 but ${IGNORE_INDEX}, which marks ignored pixels`,
        `${id} for ${name}`,
      );
  });
  const known = new Set(sorted.map(({ id }) => id));
  const shapesOf = new Map(images.map(({ id }) => [id, { crowds: [] as Shape[], others: [] as Shape[] }]));
  const sizes = new Map(images.map(({ id, width, height }) => [id, `${height}×${width}`]));
  if (shapesOf.size < images.length) throw fail('images with an id each', 'one id twice');
  for (const [i, one] of annotations.entries()) {
    const shapes = shapesOf.get(one.image_id);
    if (!shapes) throw fail('annotations of its images', `image_id ${one.image_id} in annotation ${i}`);
    if (!known.has(one.category_id))
      throw fail('annotations of its categories', `category_id ${one.category_id} in annotation ${i}`);
    const { segmentation } = one;
    if (segmentation === undefined) continue;
    if (!Array.isArray(segmentation) && segmentation.size.join('×') !== sizes.get(one.image_id))
      throw fail(
        `run lengths of the size of their image, ${sizes.get(one.image_id)}`,
        `${segmentation.size.join('×')} in annotation ${i}`,
      );
    const covers = Array.isArray(segmentation) ? { polygons: segmentation } : { runs: segmentation.counts };
    if (one.iscrowd) shapes.crowds.push({ id: IGNORE_INDEX, ...covers });
    else shapes.others.push({ id: one.category_id, ...covers });
  }
  const pairs = images.map(({ id, file_name, width, height }) => {
    const { crowds, others } = shapesOf.get(id)!;
    const name = `${path}/${file_name}`;
    const mask: Outlines = { kind: 'outlines', width, height, shapes: [...crowds, ...others], name };
    return { stem: stemOf(file_name), image: join(imageDir, file_name), mask };
  });
  await checkFiles(pairs, fail);
  return {
    pairs,
    ids: [0, ...sorted.map(({ id }) => id)],
    classNames: ['background', ...sorted.map(({ name }) => name)],
  };
}

type Fail = (expected: string, got: string, cause?: unknown) => UserError;

async function textOf(path: string, fail: Fail): Promise<string> {
  return readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw fail('annotations in COCO JSON', `${cause.code ?? cause.message}; see --coco`, cause);
  });
}

function parsed(text: string, fail: Fail): z.infer<typeof file> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw fail('annotations in COCO JSON', (cause as Error).message.replaceAll(/\s+/g, ' '), cause);
  }
  const result = file.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw fail(
    'annotations in COCO JSON',
    `${issue.path.map(String).join('.') || 'the file'}: ${issue.message}`.replaceAll(/\s+/g, ' '),
  );
}

async function checkFiles(pairs: readonly { stem: string; image: string }[], fail: Fail): Promise<void> {
  const seen = new Map<string, string>();
  for (const { stem, image } of pairs) {
    if (seen.has(stem)) throw fail('each image once', `${image} and ${seen.get(stem)}`);
    seen.set(stem, image);
  }
  const queue = pairs.values();
  const look = async () => {
    for (const { image } of queue)
      if (!(await stat(image).catch(() => undefined))?.isFile())
        throw fail('its images to be there', `nothing at ${image}; see --image-dir`);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, look));
}
