import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageRoot } from '../../base/package.js';
import { prebuilt } from '../../base/prebuilt.js';
import type { ClassRange } from '../class-range.js';

/** The memory of a sample that the addon reads, and what it is to do to it: see `encodeEdits`. */
export interface SampleMemory {
  readonly image: Uint8Array;
  readonly mask?: Uint8Array | undefined;
  readonly edits: Float64Array;
}

/** Where the results of `render` go, for a whole batch. */
export interface BatchMemory {
  readonly width: number;
  readonly height: number;
  /** Samples that `out` and `maskOut` hold. */
  readonly count: number;
  /** By channel 256 values each, of the type of `out`; none where the results are bytes. */
  readonly tables?: Float32Array | Uint16Array | undefined;
  readonly out: Float32Array | Uint16Array | Uint8Array;
  readonly maskOut?: Int32Array | Uint8Array | undefined;
}

/** A picture that is to be decoded and resized. */
export interface LoadRequest {
  /** A path, or the file's bytes. */
  readonly image: string | Uint8Array;
  readonly mask?: string | Uint8Array | undefined;
  readonly width: number;
  readonly height: number;
  /** Decodes JPEGs at a smaller scale where the result is smaller. */
  readonly fast: boolean;
  readonly mostPixels: number;
  /** The class of each of 65,536 ids, −1 for one that is not declared. */
  readonly classes?: Int16Array | undefined;
  readonly imageOut: Uint8Array;
  readonly maskOut?: Uint8Array | undefined;
}

/** The size of a picture and of its resized form, and their memory. */
export interface ResizeRequest {
  readonly width: number;
  readonly height: number;
  readonly toWidth: number;
  readonly toHeight: number;
  readonly pixels: Uint8Array;
  readonly out: Uint8Array;
}

/**
 * The native half of this room: each call but `loadNow` works on a thread of the addon's own, whose priority is low, and gives the bytes of
 * the JavaScript that it stands in for. Memory that was handed over must not change until the promise resolves.
 */
export interface ImagesAddon {
  about(): {
    /** The instruction set of the loops. */
    readonly isa: string;
    /** The JPEG library; empty without one. */
    readonly jpeg: string;
    /** Whether PNG masks are read here. */
    readonly zlib: boolean;
  };
  /** Loads a JPEG, and its PNG mask; false where a file is anything unusual, which JavaScript then reads, or refuses. */
  load(request: LoadRequest): Promise<boolean>;
  /** The same on this thread, at once. */
  loadNow(request: LoadRequest): boolean;
  resizeBilinear(request: ResizeRequest & { readonly channels: number }): Promise<void>;
  resizeNearest(request: ResizeRequest): Promise<void>;
  /** The ids of a PNG of one channel; undefined where it is anything unusual. */
  readIds(request: {
    readonly bytes: Uint8Array;
    readonly mostPixels: number;
  }): Promise<
    { readonly width: number; readonly height: number; readonly data: Uint8Array | Uint16Array } | undefined
  >;
  /** Renders samples to the places from `first` on; the range of their classes where masks are whole numbers. */
  render(
    request: BatchMemory & { readonly first: number; readonly samples: readonly SampleMemory[] },
  ): Promise<ClassRange | undefined>;
}

/**
 * What decodes and augments pictures in this process, in words.
 *
 * @example
 * imageCode(); // such as 'native, avx512, JPEG by libjpeg-turbo 2.1.5'
 */
export function imageCode(): string {
  const about = imagesAddon()?.about();
  return about ? `native, ${about.isa}, JPEG by ${about.jpeg || 'sharp'}` : 'JavaScript';
}

let loaded: { addon: ImagesAddon | undefined } | undefined;

/**
 * The images addon; undefined where it was not built, does not load, or MILLRACE_IMAGES is `javascript`.
 * The platform package's comes first; MILLRACE_IMAGES_ADDON names another build.
 */
export function imagesAddon(): ImagesAddon | undefined {
  loaded ??= { addon: process.env['MILLRACE_IMAGES'] === 'javascript' ? undefined : load() };
  return loaded.addon;
}

function load(): ImagesAddon | undefined {
  const path =
    process.env['MILLRACE_IMAGES_ADDON'] ??
    prebuilt('images.node') ??
    join(packageRoot, 'native', 'build', 'images.node');
  if (!existsSync(path)) return undefined;
  try {
    return createRequire(import.meta.url)(path) as ImagesAddon;
  } catch {
    // Its JPEG library was uninstalled since, or it is another system's.
    return undefined;
  }
}
