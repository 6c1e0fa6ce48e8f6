import type { MaskFormat } from '../tasks/segmentation/mask-format.js';
import { paletteOf } from '../tasks/segmentation/palettes.js';
import type { MaskSettings } from './data-flags.js';

/** How the masks of the settings store classes. */
export function maskFormatOf({ maskIds, maskPalette }: Pick<MaskSettings, 'maskIds' | 'maskPalette'>) {
  return {
    ids: maskIds,
    ...(maskPalette !== undefined && { palette: paletteOf(maskPalette) }),
  } satisfies MaskFormat;
}
