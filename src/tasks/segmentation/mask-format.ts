import { readColourMask } from '../../data/images/colour-mask.js';
import { readMask } from '../../data/images/image-file.js';
import type { Source } from '../../data/source.js';
import type { MaskIds } from './mask-ids.js';
import { colourIds, type Palette } from './palette.js';

/** How masks store classes. */
export interface MaskFormat {
  /** The ids that masks store, in the order of the classes. Default [1, 2, 3], trimaps. */
  readonly ids?: MaskIds | undefined;
  /** The colours of colour-coded masks: `ids` are then places in it. Default: masks store ids. */
  readonly palette?: Palette | undefined;
}

/** The ids of a mask: those that it stores, or by its colours. */
export function readMaskIds(
  mask: Source,
  palette: Palette | undefined,
): Promise<{ width: number; height: number; data: Uint8Array | Uint16Array }> {
  return palette ? readColourMask(mask, colourIds(palette)) : readMask(mask);
}
