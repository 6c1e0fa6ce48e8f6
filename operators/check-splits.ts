import { concatMap, type MonoTypeOperatorFunction } from 'rxjs';
import { printable } from '../src/base/printable.js';
import type { PixelFormat } from '../src/data/images/pixel-format.js';
import type { ImageItem, Pair, Splits } from '../src/data/types.js';
import { checkPairs } from '../src/tasks/segmentation/check-files.js';
import { checkMasks } from '../src/tasks/segmentation/check-masks.js';
import type { MaskFormat } from '../src/tasks/segmentation/mask-format.js';

/** Options of `checkSplits`. */
export interface CheckSplitsOptions extends MaskFormat {
  /** The channels that each picture must have, where they are not RGB of 8 bits. */
  readonly pixels?: PixelFormat | undefined;
  /** Called with a line about each likely mistake. Default: a line on stderr. */
  readonly warn?: (message: string) => void;
}

/**
 * Checks splits before they are used: opens every file (`checkPairs`) and reads some training masks (`checkMasks`), where
 * items have masks, then passes the splits on. Throws the errors of both. Warns when the validation or test split is empty.
 *
 * @example
 * imageMaskPairs(imageDir, maskDir).pipe(split({ seed: 42 }), checkSplits({ ids: [0, 1] }));
 */
export function checkSplits<S extends Splits<ImageItem>>({
  ids,
  palette,
  pixels,
  warn = toStderr,
}: CheckSplitsOptions = {}): MonoTypeOperatorFunction<S> {
  return concatMap(async (splits) => {
    const { train, validation, test } = splits;
    for (const [name, pairs, consequence] of [
      [
        'validation',
        validation,
        'no score can choose the best checkpoint, end a run early or lower its rate',
      ],
      ['test', test, 'the trained model is not scored'],
    ] as const)
      if (pairs.length === 0)
        warn(
          `the ${name} split is empty, with ${train.length} training ${train.length === 1 ? 'picture' : 'pictures'}: ${consequence}; add ${'mask' in (train[0] ?? {}) ? 'pairs' : 'pictures'} or raise --data-percentage`,
        );
    await checkPairs([...train, ...validation, ...test], pixels);
    const masked = train.filter((item): item is Pair => 'mask' in item);
    if (masked.length > 0) for (const line of await checkMasks(masked, { ids, palette })) warn(line);
    return splits;
  });
}

function toStderr(message: string): void {
  process.stderr.write(`${printable(`warning: ${message}`)}\n`);
}
