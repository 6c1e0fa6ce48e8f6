import { type FileHandle, open, stat } from 'node:fs/promises';
import { whatIsThere } from '../base/what-is-there.js';
import {
  type BadSafetensors,
  badSafetensors,
  parseSafetensors,
  type Safetensors,
} from './safetensors-format.js';

/**
 * Reads a safetensors file; see `parseSafetensors`. The tensors are read one at a time, so a file may be larger than one
 * buffer.
 *
 * @throws UserError naming the file, when it is missing, foreign, truncated, or its header lies.
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  const bad = badSafetensors(path);
  const failed = (cause: NodeJS.ErrnoException) => {
    throw bad(whatIsThere(cause), cause);
  };
  const stats = await stat(path).catch(failed);
  if (!stats.isFile()) throw bad(stats.isDirectory() ? 'a folder' : 'something that is not a file');
  const file = await open(path, 'r').catch(failed);
  try {
    return await parseSafetensors(
      { size: stats.size, read: (from, length) => readRange(file, from, length, bad) },
      bad,
    );
  } finally {
    await file.close();
  }
}

/** The most bytes that the system reads in one call: a little less than 2 GiB. */
const AT_ONCE = 2 ** 30;

async function readRange(
  file: FileHandle,
  from: number,
  length: number,
  bad: BadSafetensors,
): Promise<ArrayBuffer> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(length);
  } catch (cause) {
    throw bad(`a tensor of ${length} bytes, for which memory is insufficient`, cause);
  }
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, Math.min(AT_ONCE, length - at), from + at);
    if (bytesRead === 0) throw bad(`its end at byte ${from + at}`);
    at += bytesRead;
  }
  return bytes.buffer;
}
