import type { Json } from '../../files/json-file.js';

/** Pillow's filters by their numbers, as a preprocessor_config.json has them. */
const FILTERS = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'];

/**
 * The filter that a pretrained model's pictures were resized with, where its preprocessor_config.json (`resample`) or
 * timm's config.json (`interpolation`) states one other than bilinear, which is what pictures are resized with here.
 */
export function otherFilter(preprocessor: Json | undefined, config: Json | undefined): string | undefined {
  const stated =
    preprocessor?.['resample'] ?? (config?.['pretrained_cfg'] as Json | undefined)?.['interpolation'];
  const filter = typeof stated === 'number' ? (FILTERS[stated] ?? `filter ${stated}`) : stated;
  return typeof filter === 'string' && filter !== 'bilinear' ? filter : undefined;
}
