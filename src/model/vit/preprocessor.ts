import { z } from 'zod';
import { type Size, sizeText } from '../../data/images/image-size.js';
import type { Normalization } from '../../data/images/normalization.js';

/** Means and deviations of pixels: a number for each channel, or one for all. */
export function statisticsFor(channels: number) {
  const mean = z.preprocess(
    (value) => (typeof value === 'number' ? Array<number>(channels).fill(value) : value),
    z.array(z.number()).length(channels, {
      error: `expected a number for each of ${channels} channels`,
    }),
  );
  const std = mean.refine((values) => values.every((value) => value > 0), {
    error: 'expected numbers above 0',
  });
  return { mean, std };
}

const preprocessor = ({ mean, std }: ReturnType<typeof statisticsFor>) =>
  z.object({
    do_normalize: z.boolean().nullish(),
    do_rescale: z.boolean().nullish(),
    do_resize: z.boolean().nullish(),
    do_center_crop: z.boolean().nullish(),
    rescale_factor: z.number().positive().nullish(),
    image_mean: mean.nullish(),
    image_std: std.nullish(),
    size: z.unknown().optional(),
    crop_size: z.unknown().optional(),
  });

/**
 * The pixel statistics of a preprocessor_config.json, for one that is divided by 255 first: another `rescale_factor`, or none,
 * and `do_normalize: false` become part of mean and std.
 *
 * `fail` is called for what no mean and std can express, and for images of another size than the model's.
 */
export function readPreprocessor(
  file: unknown,
  imageSize: Size,
  channels: number,
  fail: (got: string) => never,
): Normalization {
  const parsed = preprocessor(statisticsFor(channels)).safeParse(file);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    return fail(`${issue.path.join('.') || 'the file'}: ${issue.message}`);
  }
  const {
    do_normalize,
    do_rescale,
    do_resize,
    do_center_crop,
    rescale_factor,
    image_mean,
    image_std,
    size,
    crop_size,
  } = parsed.data;
  const area = do_center_crop ? crop_size : do_resize === false ? undefined : size;
  const own = typeof area === 'number' ? { width: area, height: area } : isBox(area) ? area : imageSize;
  if (own.width !== imageSize.width || own.height !== imageSize.height)
    return fail(
      `${do_center_crop ? 'crop_size' : 'size'}: expected ${sizeText(imageSize)}, as the model's positions are for, got ${sizeText(own)}; make the two one (another size is chosen with --image-size)`,
    );
  const normalizes = do_normalize !== false;
  if (normalizes && !image_mean !== !image_std)
    return fail(
      `expected both image_mean and image_std, got ${image_mean ? 'image_mean' : 'image_std'} alone`,
    );
  if (normalizes && !image_mean) return fail('expected image_mean and image_std, got neither');
  // (pixel · factor − mean) / std is (pixel / 255 − mean / scale) / (std / scale).
  const scale = do_rescale === false ? 255 : closeTo1((rescale_factor ?? 1 / 255) * 255);
  const mean = normalizes ? image_mean! : Array<number>(channels).fill(0);
  const std = normalizes ? image_std! : Array<number>(channels).fill(1);
  return { mean: mean.map((value) => value / scale), std: std.map((value) => value / scale) };
}

/**
 * 1 for a factor that differs from it only by rounding, so that the usual one leaves mean and std unchanged.
 */
function closeTo1(scale: number): number {
  return Math.abs(scale - 1) < 1e-6 ? 1 : scale;
}

function isBox(value: unknown): value is { height: number; width: number } {
  const box = value as { height?: unknown; width?: unknown } | null | undefined;
  return typeof box?.height === 'number' && typeof box.width === 'number';
}
