import { basename, dirname, join, relative } from 'node:path';
import { EMPTY, isObservable, type Observable } from 'rxjs';
import { packageRoot } from '../base/package.js';
import { printable } from '../base/printable.js';
import type { Config, FlagGroups } from './flag.js';
import { flags, general, type Plugins } from './flags.js';
import { type Peek, peekAt } from './peek.js';
import { loadPlugins } from './plugins.js';
import { Program } from './program.js';

/** A recipe: its description, its flags, and the work that it does with them. */
export interface Recipe<G extends FlagGroups> {
  /** One or two sentences for the help; a function may look at the command line first. */
  readonly description: string | ((peek: Peek) => string);
  /** The flags, or a function that makes them where some flags (or a plugin) decide on others. */
  readonly flags: G | ((peek: Peek) => G);
  /**
   * Finds the plugins that an earlier start of the same work has recorded; they count where the command line names none.
   * Default: none.
   */
  readonly plugins?: (peek: Peek) => Promise<readonly string[]>;
  /** How work that was stopped is continued, said at ctrl-C. Default: by `--resume`, where that is a flag. */
  readonly continues?: string;
  /**
   * The work, or a promise of it. A returned Observable is subscribed, and unsubscribed when the recipe is
   * stopped; `signal` aborts then too, for work that is not a stream.
   */
  run(config: Config<G> & Plugins, signal: AbortSignal): Work | Promise<Work>;
}

/** A recipe's work: a stream, or nothing if the work is done already. */
export type Work = Observable<unknown> | void;

/**
 * Runs a recipe as a program: reads the command line, runs the work, and reports the outcome.
 *
 * A `UserError` is one line on stderr; any other error keeps its stack; both exit with code 1. Ctrl-C (and
 * SIGTERM, SIGHUP) unsubscribes from the work, lets its files be flushed, and exits with 128 + the signal's number;
 * a second one quits at once. Neither a reader that goes away (`| head`, a closed terminal) nor a full disk behind
 * `> file` stops the work; after the latter it ends with code 1, since some of its output is lost.
 *
 * @example
 * recipe({
 *   description: 'Counts.',
 *   flags: { General: { to: z.int().min(1).default(3).describe('last number') } },
 *   run: ({ to }) => range(1, to).pipe(tap((n) => console.log(n))),
 * });
 */
export function recipe<G extends FlagGroups>({ run, ...about }: Recipe<G>): void {
  const file = process.argv[1] ?? 'recipe';
  const name = basename(file).replace(/\.[jt]s$/, '');
  const program = new Program(name);
  program.run(async (signal) => {
    const argv = process.argv.slice(2);
    const peek = peekAt(argv);
    const named = peek({ plugin: general.General.plugin }).plugin;
    const plugin = named ?? (await about.plugins?.(peek)) ?? [];
    // Before the flags are read: what plugins register are names that flags take.
    await loadPlugins(plugin);
    const groups = typeof about.flags === 'function' ? about.flags(peek) : about.flags;
    const description = typeof about.description === 'function' ? about.description(peek) : about.description;
    const commandLine = flags(argv, groups, { name, description, usage: usageOf(file, name) });
    if ('show' in commandLine) {
      process.stdout.write(commandLine.show);
      return EMPTY;
    }
    const resumable = Object.values(groups).some((group) => 'resume' in group);
    program.continues = about.continues ?? (resumable ? '--resume continues the run' : undefined);
    for (const note of commandLine.notes) process.stderr.write(`${name}: ${printable(note)}\n`);
    const work = await run({ ...commandLine.config, ...(plugin.length > 0 && { plugin }) }, signal);
    return isObservable(work) ? work : EMPTY;
  });
}

/** The command that runs a recipe: of this package, of this package as it was installed elsewhere, or a user's own. */
function usageOf(file: string, name: string): string {
  if (dirname(file) !== join(packageRoot, 'recipes')) return `node ${relative('', file)}`;
  return /[\\/]node_modules[\\/]/.test(file) ? `npx millrace ${name}` : `node recipes/${name}.js`;
}
