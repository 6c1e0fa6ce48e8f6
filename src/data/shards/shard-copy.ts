import { rm, stat } from 'node:fs/promises';
import { sayOnce } from '../../base/say.js';
import { download } from '../../files/download.js';
import { percentLines, retryLines } from '../../files/download-progress.js';
import { lockInTurn } from '../../files/folder-lock.js';

/** Where the copy of a shard is kept whose server knows no ranges: beside its index. */
export function copyPath(index: string): string {
  return index.replace(/\.index$/, '.tar');
}

/**
 * Copies a shard of `size` bytes, if its server says so, to `path`, unless it is there, and returns its size. Its server sends it as one stream, from the start
 * only, while samples are read in any order and from any position on.
 *
 * @throws UserError for a refusal (404, …), a full disk, or a connection that drops again and again before the end
 */
export async function copyShard(
  shard: string,
  path: string,
  { size, signal }: { readonly size: number | undefined; readonly signal: AbortSignal },
): Promise<number> {
  sayOnce(
    `copies from ${new URL(shard).origin}`,
    `${shard}: the server ignores ranges; copying shards of it to ${path} and beside it, once`,
  );
  const release = await lockInTurn(`${path}.lock`, 'which copies the same shard');
  try {
    const earlier = await stat(path).catch(() => undefined);
    if (earlier && earlier.size !== size) await rm(path);
    await download(shard, path, { progress: percentLines(shard), retry: retryLines(shard), signal });
    return (await stat(path)).size;
  } finally {
    release();
  }
}
