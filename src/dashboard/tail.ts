import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Bytes that are read at once, and the longest line. */
export const CHUNK = 1 << 20;

/** The next lines of a file. */
export interface Lines {
  readonly lines: readonly string[];
  /** Lines that were longer than a chunk and were passed over. */
  readonly tooLong: number;
  /** Whether the file was replaced, as by a resumed run, so that these are its first lines. */
  readonly replaced: boolean;
}

const NONE: Lines = { lines: [], tooLong: 0, replaced: false };

/**
 * Reads the lines that another process appends to a file, a chunk at a time: it keeps a byte offset and nothing of the
 * file. A last line without its end is left for later. A link is refused, since it may lead out of the log folder.
 */
export class Tail {
  #offset = 0;
  #inode = 0;
  /** The size at which there was nothing more to read. */
  #exhausted = -1;
  /** Whether the offset lies within a line that is too long. */
  #within = false;

  constructor(readonly path: string) {}

  /** Whether the last `next` has left something to read. */
  get behind(): boolean {
    return this.#exhausted < 0;
  }

  /** The next lines. @throws the system's error where the file cannot be read. */
  async next(): Promise<Lines> {
    const file = await open(this.path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    try {
      const { size, ino } = await file.stat();
      const replaced = this.#inode !== 0 && (ino !== this.#inode || size < this.#offset);
      if (replaced) this.#begin();
      this.#inode = ino;
      if (size === this.#exhausted) return NONE;
      return { ...(await this.#read(file, size)), replaced };
    } finally {
      await file.close();
    }
  }

  #begin(): void {
    this.#offset = 0;
    this.#exhausted = -1;
    this.#within = false;
  }

  async #read(file: FileHandle, size: number): Promise<Omit<Lines, 'replaced'>> {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(CHUNK, size - this.#offset)), {
      position: this.#offset,
    });
    const bytes = buffer.subarray(0, bytesRead);
    const end = bytes.lastIndexOf(10) + 1;
    const isWhole = end > 0;
    const isLong = !isWhole && bytesRead === CHUNK;
    this.#offset += isWhole ? end : isLong ? bytesRead : 0;
    this.#exhausted = bytesRead < CHUNK ? size : -1;
    if (isLong) {
      const tooLong = Number(!this.#within);
      this.#within = true;
      return { lines: [], tooLong };
    }
    const lines = isWhole ? bytes.toString('utf8', 0, end - 1).split('\n') : [];
    if (isWhole && this.#within) {
      lines.shift();
      this.#within = false;
    }
    return { lines, tooLong: 0 };
  }
}
