import { basename } from 'node:path';
import { EMPTY, from, isObservable, type Observable, Subscription } from 'rxjs';
import { UserError } from '../base/errors.js';
import { printable } from '../base/printable.js';
import type { Config, FlagGroups } from './flag.js';
import { flags, type Plugins, pluginsOf } from './flags.js';
import { loadPlugins } from './plugins.js';

/** A recipe: its description, its flags, and the work that it does with them. */
export interface Recipe<G extends FlagGroups> {
  readonly description: string;
  readonly flags: G;
  /**
   * The work, or a promise of it. A returned Observable is subscribed, and unsubscribed when the recipe is
   * stopped; `signal` aborts then too, for work that is no stream.
   */
  run(config: Config<G> & Plugins, signal: AbortSignal): Work | Promise<Work>;
}

type Work = Observable<unknown> | void;

const STOPS: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** Where in the user's own files an error came from, where it says so: see `moduleError`. */
function usersStack({ data: { stack } }: UserError): string {
  return typeof stack === 'string' ? `${printable(stack)}\n` : '';
}

/** Milliseconds that what was stopped or has failed may take to flush its files before the process ends. */
const GRACE = 5000;

/**
 * Runs a recipe as a program: reads the command line, runs the work, and reports the outcome.
 *
 * A `UserError` is one line on stderr; any other error keeps its stack; both exit with code 1. Ctrl-C (and
 * SIGTERM, SIGHUP) unsubscribes from the work, lets its files be flushed, and exits with 128 + the signal's number;
 * a second one quits at once. Neither a reader that goes away (`| head`, a closed terminal) nor a full disk behind
 * `> file` stops the work; after the latter it ends with code 1, since what it said is lost.
 *
 * @example
 * recipe({
 *   description: 'Counts.',
 *   flags: { General: { to: z.int().min(1).default(3).describe('last number') } },
 *   run: ({ to }) => range(1, to).pipe(tap((n) => console.log(n))),
 * });
 */
export function recipe<G extends FlagGroups>({ description, flags: groups, run }: Recipe<G>): void {
  const name = basename(process.argv[1] ?? 'recipe').replace(/\.[jt]s$/, '');
  const abort = new AbortController();
  const working = new Subscription();
  let stopped = false;
  /** Whether something of what the work said is nowhere. */
  let lost = false;

  const finish = (code: number) => {
    for (const signal of Object.keys(STOPS)) process.removeListener(signal, stop);
    process.exitCode = code || (lost ? 1 : 0);
    setTimeout(() => process.exit(), GRACE).unref();
  };
  const fail = (error: unknown) => {
    if (stopped) return;
    stopped = true;
    process.stderr.write(
      error instanceof UserError
        ? `${name}: ${printable(error.message.replaceAll(/\s*\n\s*/g, ' '))}\n${usersStack(error)}`
        : `${printable((error instanceof Error && error.stack) || String(error))}\n`,
    );
    finish(1);
  };
  const stop = (signal: NodeJS.Signals) => {
    const code = STOPS[signal] ?? 1;
    if (stopped) process.exit(code);
    stopped = true;
    process.stderr.write(`\n${name}: stopping on ${signal}; once more to quit at once\n`);
    abort.abort();
    working.unsubscribe();
    process.exitCode = code;
    setTimeout(() => process.exit(code), GRACE).unref();
  };

  for (const stream of [process.stdout, process.stderr])
    stream.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
      const gone = code === 'EPIPE' || (code === 'EIO' && stream.isTTY);
      if (gone || stream === process.stderr || lost) return;
      lost = true;
      process.exitCode ||= 1;
      process.stderr.write(
        `${name}: standard output cannot be written (${code}); the work goes on without it\n`,
      );
    });
  for (const signal of Object.keys(STOPS)) process.on(signal, stop);

  const start = async () => {
    const argv = process.argv.slice(2);
    await loadPlugins(pluginsOf(argv, groups));
    const asked = flags(argv, groups, { name, description });
    if ('show' in asked) {
      process.stdout.write(asked.show);
      return EMPTY;
    }
    for (const note of asked.notes) process.stderr.write(`${name}: ${printable(note)}\n`);
    const work = await run(asked.config, abort.signal);
    return isObservable(work) ? work : EMPTY;
  };
  from(start()).subscribe({
    error: fail,
    next: (work) => {
      if (!stopped) working.add(work.subscribe({ error: fail, complete: () => finish(0) }));
    },
  });
}
