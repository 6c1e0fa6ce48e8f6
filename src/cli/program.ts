import { from, type Observable, Subscription } from 'rxjs';
import { UserError } from '../base/errors.js';
import { printable } from '../base/printable.js';

/** Signals that stop a program, with its exit codes: 128 + the signal's number. */
const STOPS: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** Milliseconds in which a stopped or failed program may flush its files before the process ends. */
const GRACE = 5000;

/**
 * This process as a program: it runs one piece of work, stops it on a signal, and exits with a code that says how it
 * went. `recipe` says what a user sees of that.
 */
export class Program {
  readonly #abort = new AbortController();
  readonly #work = new Subscription();
  readonly #onSignal = (signal: NodeJS.Signals) => this.#stop(signal);
  #stopped = false;
  /** How the work is continued after a signal, such as `--resume continues the run`; said when it is stopped. */
  continues: string | undefined;
  /** Whether some of the work's output could not be written. */
  #outputLost = false;

  constructor(private readonly name: string) {}

  /** Subscribes to the work once it is ready; `signal` aborts when the program is stopped. */
  run(start: (signal: AbortSignal) => Promise<Observable<unknown>>): void {
    for (const stream of [process.stdout, process.stderr])
      stream.on('error', (error: NodeJS.ErrnoException) => this.#outputFailed(stream, error));
    for (const signal of Object.keys(STOPS)) process.on(signal, this.#onSignal);
    const error = (reason: unknown) => this.#fail(reason);
    from(start(this.#abort.signal)).subscribe({
      error,
      next: (work$) => {
        if (!this.#stopped) this.#work.add(work$.subscribe({ error, complete: () => this.#finish(0) }));
      },
    });
  }

  #finish(code: number): void {
    for (const signal of Object.keys(STOPS)) process.removeListener(signal, this.#onSignal);
    process.exitCode = code || (this.#outputLost ? 1 : 0);
    setTimeout(() => process.exit(), GRACE).unref();
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    process.stderr.write(
      error instanceof UserError
        ? `${this.name}: ${printable(error.message)}\n${userStack(error)}`
        : `${printable((error instanceof Error && error.stack) || String(error))}\n`,
    );
    this.#finish(1);
  }

  #stop(signal: NodeJS.Signals): void {
    const code = STOPS[signal] ?? 1;
    if (this.#stopped) process.exit(code);
    this.#stopped = true;
    const later = this.continues === undefined ? '' : `; ${this.continues}`;
    process.stderr.write(`\n${this.name}: stopping on ${signal}; repeat to quit at once${later}\n`);
    this.#abort.abort();
    this.#work.unsubscribe();
    process.exitCode = code;
    setTimeout(() => process.exit(code), GRACE).unref();
  }

  #outputFailed(stream: NodeJS.WriteStream, { code = '' }: NodeJS.ErrnoException): void {
    const readerLeft = code === 'EPIPE' || (code === 'EIO' && stream.isTTY);
    if (readerLeft || stream === process.stderr || this.#outputLost) return;
    this.#outputLost = true;
    process.exitCode ||= 1;
    process.stderr.write(
      `${this.name}: standard output cannot be written (${code}); the work continues without it\n`,
    );
  }
}

/** The stack in the user's own files, where the error has one: see `moduleError`. */
function userStack({ data: { stack } }: UserError): string {
  return typeof stack === 'string' ? `${printable(stack)}\n` : '';
}
