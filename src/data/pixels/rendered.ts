import type { Item, Sample } from '../types.js';
import { drafted, draftOf } from './draft.js';
import { renderBytes } from './render.js';

/**
 * The sample with its pixels made, off the event loop: for what is about to read them. One whose pixels are there, or are
 * normalised as well, stays as it is.
 */
export async function rendered<S extends Omit<Sample<Item>, 'image'>>(sample: S): Promise<S> {
  const draft = draftOf(sample);
  if (!draft || draft.tables || draft.edits.length === 0) return sample;
  const { image, mask } = await renderBytes(draft);
  return drafted(sample, { ...draft, image, mask, edits: [] });
}
