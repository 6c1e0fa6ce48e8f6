import { UserError } from '../../base/errors.js';
import { type Size, sizeText } from '../../data/images/image-size.js';
import type { VitConfig } from './config.js';

/**
 * Refuses an image size that cannot fit into memory: one picture takes at least its pixels and the model's `outputs`
 * numbers for it, the tokens of a layer, and the attention scores of a head, in float32.
 */
export function checkMemory(config: VitConfig, imageSize: Size, outputs: number): void {
  const pixels = imageSize.width * imageSize.height;
  const tokens = 1 + pixels / config.patch_size ** 2;
  const least = 4 * (pixels * config.num_channels + outputs + tokens * config.hidden_size + tokens ** 2);
  const there = memory();
  if (there === undefined || least <= there) return;
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toPrecision(3)} GiB`;
  throw new UserError(
    `image size: expected one that fits into ${gib(there)} of memory, got ${sizeText(imageSize)}, at which one picture takes ${gib(least)}; see --image-size`,
    { imageSize, least },
  );
}

/** The memory of the machine; a browser does not tell. */
function memory(): number | undefined {
  return typeof process === 'undefined' ? undefined : process.getBuiltinModule('node:os').totalmem();
}
