/** The most bytes that are kept. */
const MOST = 2 ** 28;

/** Pictures that were decoded last, at their own size: tiles of one picture mostly come one after another. */
const kept = new Map<string, Promise<{ readonly data: { readonly byteLength: number } }>>();
const sizes = new Map<string, number>();

/**
 * The decoded picture of a key, from those that were decoded last, or else by `decode`. What it gives is shared: nobody
 * may write to it.
 */
export async function recentPicture<P extends { readonly data: { readonly byteLength: number } }>(
  key: string,
  decode: () => Promise<P>,
): Promise<P> {
  const known = kept.get(key) as Promise<P> | undefined;
  if (known) return known;
  const picture = decode();
  kept.set(key, picture);
  try {
    sizes.set(key, (await picture).data.byteLength);
  } catch (error) {
    kept.delete(key);
    throw error;
  }
  let total = [...sizes.values()].reduce((a, b) => a + b, 0);
  for (const [old, size] of sizes) {
    if (total <= MOST) break;
    total -= size;
    sizes.delete(old);
    kept.delete(old);
  }
  return picture;
}
