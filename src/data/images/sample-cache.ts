/**
 * Keeps the bytes of decoded samples (an image, and its mask where it has one) by a key that changes with the files, the
 * size and the classes.
 *
 * What it hands out is read by many and written to by nobody: `image` and `mask` of a sample are memory of their own.
 */
export interface SampleCache {
  /** The parts of a key; undefined if they are not stored, or not with these lengths (bytes). */
  get(key: string, lengths: readonly number[]): Promise<readonly Uint8Array[] | undefined>;
  /**
   * Stores parts under a key if there is room; they do not change afterwards.
   *
   * @returns false where there was none.
   */
  set(key: string, parts: readonly Uint8Array[]): Promise<boolean | void>;
}
