import { named } from '../../base/named.js';
import { detailHead } from './detail-head.js';
import { dptHead } from './dpt-head.js';
import type { Head, HeadOptions } from './head.js';
import { linearHead } from './linear-head.js';
import { maskHead } from './mask-head.js';
import { multiscaleHead } from './multiscale-head.js';
import { studyHead } from './study-head.js';
import { upernetHead } from './upernet-head.js';

/** The default head of a segmenter. */
export const DEFAULT_HEAD = 'study';

/**
 * The segmentation heads by name, as flags and checkpoints use them: docs/heads.md says what each is. `conv` is the
 * name of `study` in earlier checkpoints.
 *
 * @example
 * heads.register('dropped', (options) => heads.make('study', { ...options, dropout: 0.5 }));
 * const segmenter = await loadSegmenter('google/vit-base-patch16-224', { classes: 3, name: 'dropped', seed: 42 });
 */
export const heads = named('head', {
  [DEFAULT_HEAD]: (options: HeadOptions): Head => studyHead(options),
  conv: (options: HeadOptions): Head => studyHead(options),
  linear: (options: HeadOptions): Head => linearHead(options),
  multiscale: (options: HeadOptions): Head => multiscaleHead(options),
  dpt: (options: HeadOptions): Head => dptHead(options),
  upernet: (options: HeadOptions): Head => upernetHead(options),
  detail: (options: HeadOptions): Head => detailHead(options),
  mask: (options: HeadOptions): Head => maskHead(options),
});
