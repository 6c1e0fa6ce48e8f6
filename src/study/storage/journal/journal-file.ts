import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UserError } from '../../../base/errors.js';
import { oneLine } from '../../../base/printable.js';
import { parsePythonJson } from '../../trials/python-json.js';
import { checkOp } from './check-op.js';
import { withJournalLock } from './journal-lock.js';
import { type JournalOp, opToJson } from './journal-op.js';

const NEWLINE = 10;
/** The first bytes of every line, even of a torn one. */
const BEGINNING = '{"op_code":';
/** The number of bytes per read; a longer line is read whole, up to what fits into one of Node's strings. */
const CHUNK = 2 ** 24;
const LONGEST = 2 ** 28;

/** An append-only file of JSON lines that any number of processes write under its lock. */
export class JournalFile {
  readonly #file: number;
  readonly #absolute: string;
  /** The number of bytes and lines read so far. */
  #offset = 0;
  #lines = 0;

  /**
   * @param apply told each line that is read, in order; what it throws is the line's fault
   * @throws UserError when the folder is missing, or the file cannot be opened.
   */
  constructor(
    readonly path: string,
    private readonly apply: (op: JournalOp) => unknown,
  ) {
    this.#absolute = resolve(path);
    const folder = dirname(this.#absolute);
    if (!existsSync(folder)) {
      throw new UserError(`journal ${path}: folder ${folder} is missing; create it, or use another path`, {
        path,
      });
    }
    try {
      this.#file = openSync(path, 'a+');
    } catch (cause) {
      throw this.#unusable(cause);
    }
  }

  /**
   * Applies what was appended since the last read; a last line without its end is still being written, and waits.
   *
   * @throws UserError when the file is not the one that was opened, was shortened, or holds a line that is no operation.
   */
  readNew(): void {
    const size = this.#checkedSize();
    for (let length = CHUNK; this.#offset < size; ) {
      const bytes = Buffer.alloc(Math.min(length, size - this.#offset));
      readSync(this.#file, bytes, 0, bytes.length, this.#offset);
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      if (end > 0) this.#applyLines(bytes.subarray(0, end));
      else if (bytes.length >= LONGEST) throw this.#tooLong(bytes);
      else if (this.#offset + bytes.length < size) length *= 2;
      else return this.#checkTorn(bytes);
    }
  }

  /**
   * Under the lock: applies what is new, appends what `decide` then returns, applies it, and synchronises the disk;
   * returns what `done` makes of what applying gave. What `decide` sees is therefore all there is. The torn last line
   * of a writer that died is cut off.
   */
  transact<T>(decide: () => readonly JournalOp[], done: (results: readonly unknown[]) => T): Promise<T> {
    return withJournalLock(this.#absolute, () => {
      this.readNew();
      const ops = decide();
      if (ops.length > 0) this.#append(ops);
      return done(ops.map((op) => this.apply(op)));
    }).catch((error: unknown) => {
      throw (error as NodeJS.ErrnoException).syscall ? this.#unusable(error) : error;
    });
  }

  close(): void {
    closeSync(this.#file);
  }

  #append(ops: readonly JournalOp[]): void {
    if (fstatSync(this.#file).size > this.#offset) ftruncateSync(this.#file, this.#offset);
    const bytes = Buffer.from(ops.map((op) => `${opToJson(op)}\n`).join(''));
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
    fsyncSync(this.#file);
    this.#offset += bytes.length;
    this.#lines += ops.length;
  }

  /** The size of the file at `path`, which must be the open file, and no shorter than what was read. */
  #checkedSize(): number {
    const { size, ino, dev } = fstatSync(this.#file);
    const named = statSync(this.#absolute, { throwIfNoEntry: false });
    if (named?.ino !== ino || named.dev !== dev)
      throw this.#changed(named ? 'another file has taken its place' : 'it was removed');
    if (size < this.#offset) throw this.#changed('it was shortened');
    const last = Buffer.alloc(1);
    if (this.#offset > 0) {
      readSync(this.#file, last, 0, 1, this.#offset - 1);
      if (last[0] !== NEWLINE) throw this.#changed('it was written anew');
    }
    return size;
  }

  #applyLines(bytes: Buffer): void {
    for (const line of bytes.toString().split('\n').slice(0, -1)) {
      this.#lines++;
      try {
        this.apply(checkOp(parsePythonJson(line)));
      } catch (cause) {
        throw this.#foreign(line, this.#lines, cause);
      }
    }
    this.#offset += bytes.length;
  }

  #tooLong(bytes: Buffer): UserError {
    const cause = new RangeError(`it is longer than ${LONGEST / 2 ** 20} MiB`);
    return this.#foreign(bytes.toString('utf8', 0, 100), this.#lines + 1, cause);
  }

  #checkTorn(bytes: Buffer): void {
    const start = bytes.toString('utf8', 0, 100);
    const cause = new SyntaxError('it begins otherwise');
    if (!BEGINNING.startsWith(start.slice(0, BEGINNING.length)))
      throw this.#foreign(start, this.#lines + 1, cause);
  }

  #foreign(line: string, number: number, cause: unknown): UserError {
    return new UserError(
      `journal ${this.path}, line ${number}: expected an operation of Optuna's journal, got ` +
        `${JSON.stringify(line.slice(0, 60))} (${oneLine((cause as Error).message)}); use another path, or restore the file`,
      { path: this.path, line: number },
      { cause },
    );
  }

  #changed(what: string): UserError {
    return new UserError(
      `journal ${this.path}: ${what} while this study used it; restore the file, and begin again`,
      { path: this.path },
    );
  }

  #unusable(cause: unknown): UserError {
    const { code, message } = cause as NodeJS.ErrnoException;
    return new UserError(
      `journal ${this.path}: expected a file that can be read and written, but ${message}`,
      { path: this.path, code },
      { cause },
    );
  }
}
