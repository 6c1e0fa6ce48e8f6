import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UserError } from '../../../errors.js';
import { parsePythonJson, toPythonJson } from '../python-json.js';
import { withJournalLock } from './journal-lock.js';
import type { JournalOp } from './journal-op.js';

const NEWLINE = 10;

/** An append-only file of JSON lines that any number of processes write under its lock. */
export class JournalFile {
  readonly #file: number;
  /** The bytes, and lines, that were read. */
  #offset = 0;
  #lines = 0;

  /** @throws UserError when the folder is missing. */
  constructor(readonly path: string) {
    const folder = dirname(resolve(path));
    if (!existsSync(folder)) {
      throw new UserError(`journal ${path}: folder ${folder} is missing; create it, or use another path`, {
        path,
      });
    }
    this.#file = openSync(path, 'a+');
  }

  /** What was appended since the last read; a last line without its end is still being written, and waits. */
  readNew(): JournalOp[] {
    const size = fstatSync(this.#file).size;
    if (size <= this.#offset) return [];
    const bytes = Buffer.alloc(size - this.#offset);
    const length = readSync(this.#file, bytes, 0, bytes.length, this.#offset);
    const end = bytes.subarray(0, length).lastIndexOf(NEWLINE) + 1;
    this.#offset += end;
    return bytes
      .subarray(0, end)
      .toString()
      .split('\n')
      .slice(0, -1)
      .map((line) => this.#parse(line));
  }

  /**
   * Under the lock: hands what is new to `decide`, appends what it returns, and synchronises the disk; returns
   * what `done` makes of what was written. What `decide` sees is therefore all there is. The torn last line of a
   * writer that died is cut off.
   */
  transact<T>(
    decide: (fresh: readonly JournalOp[]) => readonly JournalOp[],
    done: (written: readonly JournalOp[]) => T,
  ): Promise<T> {
    return withJournalLock(this.path, () => {
      const ops = decide(this.readNew());
      if (ops.length === 0) return done(ops);
      if (fstatSync(this.#file).size > this.#offset) ftruncateSync(this.#file, this.#offset);
      const bytes = Buffer.from(ops.map((op) => `${toPythonJson({ ...op })}\n`).join(''));
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
      fsyncSync(this.#file);
      this.#offset += bytes.length;
      this.#lines += ops.length;
      return done(ops);
    });
  }

  close(): void {
    closeSync(this.#file);
  }

  #parse(line: string): JournalOp {
    this.#lines++;
    try {
      return parsePythonJson(line) as unknown as JournalOp;
    } catch (cause) {
      throw new UserError(
        `journal ${this.path}, line ${this.#lines}: expected JSON, got ${JSON.stringify(line.slice(0, 60))}; ` +
          'remove the line, or restore the file',
        { path: this.path, line: this.#lines },
        { cause },
      );
    }
  }
}
