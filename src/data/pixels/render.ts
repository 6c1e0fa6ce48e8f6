import { availableParallelism } from 'node:os';
import { type ClassRange, joinedRange } from '../class-range.js';
import { type ImagesAddon, imagesAddon } from './addon.js';
import { applyEdits, type Bytes } from './apply-edits.js';
import { giveMemory } from './batch-memory.js';
import type { Draft } from './draft.js';
import { isMove } from './edit.js';
import { encodeEdits } from './encode-edits.js';
import { whileHeld } from './sample-memory.js';
import { renderOnThread, twinThreads } from './twin-threads.js';
import { channelsOf } from './values.js';

/** The memory of a batch: float32 [batch, height, width, channels] and int32 [batch, height, width], row by row. */
export interface BatchPixels {
  readonly images: Float32Array;
  readonly masks?: Int32Array | undefined;
  /** The range of the classes in `masks`. */
  readonly range?: ClassRange | undefined;
}

/** Gives back the memory of a batch that nothing refers to any more. */
export function giveBack({ images, masks }: BatchPixels): void {
  giveMemory(images);
  if (masks) giveMemory(masks);
}

/** The bytes of a draft, off the event loop where the addon is there; a mask that nothing moves is the draft's own. */
export async function renderBytes(draft: Draft): Promise<Bytes> {
  const addon = imagesAddon();
  if (!addon || !(draft.image instanceof Uint8Array)) return applyEdits(draft, draft.edits);
  return whileHeld([draft], ([held]) => renderNatively(addon, held!), { spent: false });
}

async function renderNatively(addon: ImagesAddon, draft: Draft): Promise<Bytes> {
  const { width, height, mask, edits } = draft;
  const image = draft.image as Uint8Array;
  const moved = mask && edits.some(isMove);
  const out = new Uint8Array(image.length);
  const maskOut = moved ? new Uint8Array(mask.length) : undefined;
  const sample = { image, mask: moved ? mask : undefined, edits: encodeEdits(edits, width, height) };
  await addon.render({ width, height, count: 1, first: 0, samples: [sample], out, maskOut });
  return { width, height, image: out, ...(mask && { mask: maskOut ?? mask }) };
}

/**
 * Makes the drafts of a batch, which are normalised alike, in the memory of that batch: off the event loop, on several
 * threads, where the addon is there. The memory of samples that `decode` lent is used again.
 *
 * @returns The range of the classes of its masks.
 */
export async function renderBatch(
  drafts: readonly Draft[],
  pixels: BatchPixels,
): Promise<ClassRange | undefined> {
  return whileHeld(drafts, (held) => renderHeld(held, pixels), { spent: true });
}

async function renderHeld(
  drafts: readonly Draft[],
  { images, masks }: BatchPixels,
): Promise<ClassRange | undefined> {
  const addon = imagesAddon();
  const { width, height, tables } = drafts[0]!;
  const samples = drafts.flatMap(({ image, mask, edits }) =>
    image instanceof Uint8Array
      ? [{ image, mask: masks && mask, edits: encodeEdits(edits, width, height) }]
      : [],
  );
  if (!addon || samples.length < drafts.length) return renderOnThreads(drafts, { images, masks });
  const memory = { width, height, count: drafts.length, tables, out: images, maskOut: masks };
  const share = Math.ceil(samples.length / availableParallelism());
  const jobs: Promise<ClassRange | undefined>[] = [];
  for (let first = 0; first < samples.length; first += share)
    jobs.push(addon.render({ ...memory, first, samples: samples.slice(first, first + share) }));
  return rangeOfAll(await Promise.all(jobs));
}

/** The same by JavaScript, in worker threads. */
async function renderOnThreads(
  drafts: readonly Draft[],
  { images, masks }: BatchPixels,
): Promise<ClassRange | undefined> {
  const { width, height } = drafts[0]!;
  const channels = channelsOf(drafts[0]!);
  const share = Math.ceil(drafts.length / twinThreads);
  const firsts = Array.from({ length: Math.ceil(drafts.length / share) }, (_, i) => i * share);
  const ranges = await Promise.all(
    firsts.map(async (first) => {
      const part = drafts.slice(first, first + share);
      const pixels = await renderOnThread({ drafts: part, masked: masks !== undefined });
      images.set(pixels.images, channels * first * width * height);
      if (pixels.masks) masks?.set(pixels.masks, first * width * height);
      return pixels.range;
    }),
  );
  return rangeOfAll(ranges);
}

function rangeOfAll(ranges: readonly (ClassRange | undefined)[]): ClassRange | undefined {
  const known = ranges.flatMap((range) => range ?? []);
  return known.length > 0 ? joinedRange(known) : undefined;
}
