import { type ClassRange, rangeOf } from '../class-range.js';
import { applyEdits } from './apply-edits.js';
import type { Draft } from './draft.js';
import { normalized } from './normal-tables.js';
import { channelsOf } from './values.js';

/** Drafts of a batch that one thread renders: plain data. */
export interface BatchShare {
  readonly drafts: readonly Draft[];
  readonly masked: boolean;
}

/** The pixels of such drafts, one after another, and the range of their classes. */
export interface SharePixels {
  readonly images: Float32Array;
  readonly masks?: Int32Array | undefined;
  readonly range?: ClassRange | undefined;
}

/** Renders drafts of a batch. */
export function renderShare({ drafts, masked }: BatchShare): SharePixels {
  const { width, height } = drafts[0]!;
  const pixels = width * height;
  const size = pixels * channelsOf(drafts[0]!);
  const images = new Float32Array(drafts.length * size);
  const masks = masked ? new Int32Array(drafts.length * pixels) : undefined;
  drafts.forEach((draft, place) => {
    const { image, mask } = applyEdits(draft, draft.edits);
    normalized(image, draft.tables!, images.subarray(place * size, (place + 1) * size));
    if (mask) masks?.set(mask, place * pixels);
  });
  return { images, masks, range: masks && rangeOf(masks) };
}
