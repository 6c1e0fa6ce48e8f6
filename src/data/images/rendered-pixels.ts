import { takeMemory } from '../pixels/batch-memory.js';
import { draftOf } from '../pixels/draft.js';
import { type BatchPixels, renderBatch } from '../pixels/render.js';
import { channelsOf } from '../pixels/values.js';
import type { Item, Sample } from '../types.js';
import { imageMemory } from './image-tensor.js';

/**
 * The pixels of a batch, made at once in its own memory; undefined where that cannot be, as for samples of a user's own,
 * for several sizes, and where there is none.
 */
export function renderedPixels(
  samples: readonly Sample<Item, Float32Array>[],
  { masks: masked }: { readonly masks: boolean },
): Promise<BatchPixels> | undefined {
  const drafts = samples.flatMap((sample) => draftOf(sample) ?? []);
  const [first] = drafts;
  if (!first?.tables || drafts.length < samples.length) return undefined;
  const { width, height, tables } = first;
  const alike = drafts.every(
    (draft) =>
      draft.width === width && draft.height === height && draft.tables === tables && (draft.mask || !masked),
  );
  if (!alike) return undefined;
  const images = imageMemory([samples.length, height, width, channelsOf(first)]);
  const masks = masked ? takeMemory(Int32Array, samples.length * height * width) : undefined;
  return renderBatch(drafts, { images, masks }).then((range) => ({ images, masks, range }));
}
