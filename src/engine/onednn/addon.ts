import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../base/errors.js';
import { prebuilt } from '../../base/prebuilt.js';

/** Numbers as the addon holds them; bool tensors are bytes. */
export type Numbers = Float32Array | Int32Array | Uint8Array;

/** The time that one kernel took since profiling was turned on. */
export interface ProfileEntry {
  readonly calls: number;
  readonly ms: number;
  /** Processor time of the engine's own thread: with `threads` 1 it does not depend on what else runs. */
  readonly processorMs: number;
}

/** The names of a kernel's arguments, in the order in which the addon takes them. */
export interface ArgumentNames {
  readonly inputs: readonly string[];
  readonly results: readonly string[];
  readonly numbers: readonly string[];
}

/** A kernel of the addon: the arguments that it takes once, and those that it takes any number of times. */
export interface KernelNames extends ArgumentNames {
  readonly name: string;
  readonly each: ArgumentNames;
}

/** The addon's enums, each a number by its name. */
export type Enums = Readonly<
  Record<'Type' | 'Unary' | 'Binary' | 'Compare' | 'Reduce', Readonly<Record<string, number>>>
>;

/**
 * The native half: tensors by number, and one queue of kernels that its own thread works through in order.
 *
 * Only `readSync` and `drain` wait for it; an error of a kernel comes out of the next read, its message beginning with
 * the number of the call since `start`, from 0, and the kernel's name.
 */
export interface Addon {
  /**
   * Called again, the engine goes on with these, and tensors stay. `bits` is 8 or 16 where the products of frozen weights
   * are computed in integers of so many, 0 by default.
   */
  start(threads: number, bf16: boolean, bits?: 0 | 8 | 16): void;
  /**
   * Enqueues a kernel by its index in `about().kernels`, with arguments in the order given there. An input of −1 is
   * left out; `sizes` says how many numbers each of `outs` has.
   */
  run(
    kernel: number,
    outs: readonly number[],
    ins: readonly number[],
    numbers: readonly number[],
    sizes: readonly number[],
  ): void;
  /** See `TensorAddon`; an addon that was built before there was it has none. */
  allocate?(type: 'float32' | 'int32', length: number): Float32Array | Int32Array | undefined;
  /** Copies the numbers; those of a whole array from `allocate` are taken over, and the array is then empty. */
  write(id: number, values: Numbers): void;
  free(id: number): void;
  read(id: number): Promise<Numbers>;
  readSync(id: number): Numbers;
  drain(): void;
  trim(): void;
  memory(): {
    readonly bytesInUse: number;
    readonly bytesReserved: number;
    /** Bytes of frozen weights whose numbers are in temporary files. */
    readonly bytesInFiles: number;
    readonly tensors: number;
  };
  profile(on: boolean): Record<string, ProfileEntry>;
  about(): {
    readonly library: string;
    readonly isa: string;
    readonly fastBf16: boolean;
    /** The instructions that multiply integers; an addon that was built before there were any has none. */
    readonly integerIsa?: string;
    /** The instructions of attention in bf16, none for products of oneDNN; an earlier build does not say. */
    readonly attentionIsa?: string;
    /** The largest magnitude of a weight in int8: 127, or 64 where pairs of products are added in 16 bits. */
    readonly mostOfWeight8: number;
    readonly enums: Enums;
    readonly kernels: readonly KernelNames[];
  };
}

/**
 * The path of the addon: MILLRACE_ONEDNN_ADDON, that of the platform package, or what `npm install` builds; undefined
 * where there is none.
 */
export function addonPath(): string | undefined {
  const override = process.env['MILLRACE_ONEDNN_ADDON'];
  if (override) return override;
  const packaged = prebuilt('onednn.node');
  if (packaged !== undefined) return packaged;
  // The sources and the build in dist/ lie at different depths of the package.
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const path = join(folder, 'native', 'build', 'onednn.node');
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) return undefined;
  }
}

/**
 * Loads the addon; undefined if it is not built.
 *
 * @throws UserError where it was built by an earlier version, and as `require` does where it does not load, for example
 * when oneDNN was uninstalled since.
 */
export function loadAddon(): Addon | undefined {
  const path = addonPath();
  // How often OpenMP's threads look for work between kernels before they sleep. With many turns they keep a core from
  // image decoders, and the thread that they wait for from its core: see docs/notes/onednn.md.
  process.env['GOMP_SPINCOUNT'] ??= '1000';
  if (!path) return undefined;
  const addon = createRequire(import.meta.url)(path) as Addon;
  if (addon.about().enums !== undefined) return addon;
  throw new UserError(
    `${path}: expected the addon of this version, got an older one; build it again: npm run build:native`,
    { path },
  );
}
