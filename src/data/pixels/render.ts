import { availableParallelism } from 'node:os';
import { imagesAddon } from './addon.js';
import { applyEdits, type Bytes } from './apply-edits.js';
import { giveMemory } from './batch-memory.js';
import type { Draft } from './draft.js';
import { encodeEdits } from './encode-edits.js';
import { normalized } from './normal-tables.js';

/** The memory of a batch: float32 [batch, height, width, 3] and int32 [batch, height, width], row by row. */
export interface BatchPixels {
  readonly images: Float32Array;
  readonly masks?: Int32Array | undefined;
}

/** Gives back the memory of a batch that nothing refers to any more. */
export function giveBack({ images, masks }: BatchPixels): void {
  giveMemory(images);
  if (masks) giveMemory(masks);
}

/** The bytes of a draft, off the event loop where the addon is there; a mask that nothing moves is the draft's own. */
export async function renderBytes(draft: Draft): Promise<Bytes> {
  const { width, height, image, mask, edits } = draft;
  const addon = imagesAddon();
  if (!addon) return applyEdits(draft, edits);
  const moved = mask && edits.some(({ kind }) => kind === 'warp');
  const out = new Uint8Array(image.length);
  const maskOut = moved ? new Uint8Array(mask.length) : undefined;
  const sample = { image, mask: moved ? mask : undefined, edits: encodeEdits(edits, width, height) };
  await addon.render({ width, height, count: 1, first: 0, samples: [sample], out, maskOut });
  return { width, height, image: out, ...(mask && { mask: maskOut ?? mask }) };
}

/**
 * Makes the drafts of a batch, which are normalised alike, in the memory of that batch: off the event loop, on several
 * threads, where the addon is there.
 */
export async function renderBatch(drafts: readonly Draft[], { images, masks }: BatchPixels): Promise<void> {
  const addon = imagesAddon();
  const { width, height, tables } = drafts[0]!;
  if (!addon) {
    drafts.forEach((draft, place) => renderTo(draft, place, { images, masks }));
    return;
  }
  const samples = drafts.map(({ image, mask, edits }) => ({
    image,
    mask: masks && mask,
    edits: encodeEdits(edits, width, height),
  }));
  const memory = { width, height, count: drafts.length, tables, out: images, maskOut: masks };
  const share = Math.ceil(samples.length / availableParallelism());
  const jobs: Promise<void>[] = [];
  for (let first = 0; first < samples.length; first += share)
    jobs.push(addon.render({ ...memory, first, samples: samples.slice(first, first + share) }));
  await Promise.all(jobs);
}

/** Makes one draft in its place of a batch. */
function renderTo(draft: Draft, place: number, { images, masks }: BatchPixels): void {
  const { image, mask } = applyEdits(draft, draft.edits);
  const at = place * draft.width * draft.height;
  normalized(image, draft.tables!, images.subarray(3 * at, 3 * at + image.length));
  if (masks && mask) masks.set(mask, at);
}
