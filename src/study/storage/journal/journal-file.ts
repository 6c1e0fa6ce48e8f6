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
import { parsePythonJson } from '../python-json.js';
import { withJournalLock } from './journal-lock.js';
import { type JournalOp, opToJson } from './journal-op.js';

const NEWLINE = 10;
/** How every line begins, a torn one too. */
const BEGINNING = '{"op_code":';

/** An append-only file of JSON lines that any number of processes write under its lock. */
export class JournalFile {
  readonly #file: number;
  /** The bytes, and lines, that were read. */
  #offset = 0;
  #lines = 0;

  /** @throws UserError when the folder is missing, or the file cannot be opened. */
  constructor(readonly path: string) {
    const folder = dirname(resolve(path));
    if (!existsSync(folder)) {
      throw new UserError(`journal ${path}: folder ${folder} is missing; create it, or use another path`, {
        path,
      });
    }
    try {
      this.#file = openSync(path, 'a+');
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      throw new UserError(
        `journal ${path}: expected a file that can be read and written, but ${message}`,
        { path, code },
        { cause },
      );
    }
  }

  /** What was appended since the last read; a last line without its end is still being written, and waits. */
  readNew(): JournalOp[] {
    const size = fstatSync(this.#file).size;
    if (size <= this.#offset) return [];
    const bytes = Buffer.alloc(size - this.#offset);
    const length = readSync(this.#file, bytes, 0, bytes.length, this.#offset);
    const end = bytes.subarray(0, length).lastIndexOf(NEWLINE) + 1;
    const torn = bytes.subarray(end, length).toString();
    if (!BEGINNING.startsWith(torn.slice(0, BEGINNING.length))) throw this.#foreign(torn, this.#lines + 1);
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
      const bytes = Buffer.from(ops.map((op) => `${opToJson(op)}\n`).join(''));
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
      const op = parsePythonJson(line) as { op_code?: unknown } | null;
      if (Number.isInteger(op?.op_code)) return op as unknown as JournalOp;
    } catch (cause) {
      throw this.#foreign(line, this.#lines, cause);
    }
    throw this.#foreign(line, this.#lines);
  }

  #foreign(line: string, number: number, cause?: unknown): UserError {
    return new UserError(
      `journal ${this.path}, line ${number}: expected an operation of Optuna's journal, got ` +
        `${JSON.stringify(line.slice(0, 60))}; use another path, or restore the file`,
      { path: this.path, line: number },
      { cause },
    );
  }
}
