import type { Item, Sample } from '../types.js';
import { applyEdits } from './apply-edits.js';
import type { Edit } from './edit.js';
import { normalized } from './normal-tables.js';
import { present } from './sample-memory.js';
import type { Values } from './values.js';

/**
 * A sample whose pixels are still to be made: decoded bytes, and what is to be done to them. A batch is made of drafts in
 * one go, off the event loop, into its own memory.
 */
export interface Draft {
  readonly width: number;
  readonly height: number;
  /** RGB bytes, or 16-bit values of other channels, which a cache or another sample may have, too: never written to. */
  readonly image: Values;
  readonly mask?: Uint8Array | undefined;
  /** Carried out in order. */
  readonly edits: readonly Edit[];
  /** By channel the floats that values become; without it the image stays as it is. */
  readonly tables?: Float32Array | undefined;
}

/** The fields of a sample that a draft stands for. */
type Pixels = { image: Values | Float32Array; mask?: Uint8Array };

const drafts = new WeakMap<object, Draft>();

/** The draft that a sample stands for; undefined once its pixels were read, and for a sample that never was one. */
export function draftOf(sample: object): Draft | undefined {
  return drafts.get(sample);
}

/**
 * A sample with the fields of `like` whose pixels are those of a draft. They are made when `image` or `mask` is first
 * read, in memory of their own; from then on the sample is like any other.
 */
export function drafted<S extends Omit<Sample<Item>, 'image'>>(like: object, draft: Draft): S {
  const sample: Record<string, unknown> = {};
  for (const key of Object.keys(like))
    if (key !== 'image' && key !== 'mask') sample[key] = (like as Record<string, unknown>)[key];
  drafts.set(sample, draft);
  Object.defineProperty(sample, 'image', UNREAD.image);
  if (draft.mask) Object.defineProperty(sample, 'mask', UNREAD.mask);
  return sample as unknown as S;
}

/** The fields whose first use makes the pixels. All samples share them, so that they are objects of one shape, not tables. */
const UNREAD = { image: unread('image'), mask: unread('mask') };

function unread(key: keyof Pixels): PropertyDescriptor {
  return {
    configurable: true,
    enumerable: true,
    get(this: Pixels) {
      return settled(this)[key];
    },
    set(this: Pixels, value: Uint8Array) {
      Object.assign(settled(this), { [key]: value });
    },
  };
}

/** The sample, its pixels made. */
function settled(sample: Pixels): Pixels {
  const draft = present(drafts.get(sample)!);
  drafts.delete(sample);
  const { image, mask } = applyEdits(draft, draft.edits);
  const values: Pixels = { image: draft.tables ? normalized(image, draft.tables) : image };
  // A mask that nothing has moved is the draft's own.
  if (mask) values.mask = mask === draft.mask ? new Uint8Array(mask) : mask;
  for (const [key, value] of Object.entries(values))
    Object.defineProperty(sample, key, { configurable: true, enumerable: true, writable: true, value });
  return sample;
}
