import { named } from '../../base/named.js';
import { convHead } from './conv-head.js';
import type { Head, HeadOptions } from './head.js';

/** The default head of a segmenter. */
export const DEFAULT_HEAD = 'conv';

/**
 * The segmentation heads by name, as flags and checkpoints use them.
 *
 * @example
 * heads.register('dropped', (options) => heads.make('conv', { ...options, dropout: 0.5 }));
 * const segmenter = await loadSegmenter('google/vit-base-patch16-224', { classes: 3, name: 'dropped', seed: 42 });
 */
export const heads = named('head', {
  [DEFAULT_HEAD]: (options: HeadOptions): Head => convHead(options),
});
