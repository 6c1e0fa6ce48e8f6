import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a recipe left behind when it ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A recipe that runs as its user would run it: the compiled file, in a process and a folder of its own. */
export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts `node recipes/<name>.js …args` in the folder `cwd`. Needs `npm run build` first. */
export function start(
  name: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Running {
  const child = spawn(process.execPath, [fileOf(name), ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { process: child, ended };
}

function fileOf(name: string): string {
  const file = join(root, 'recipes', `${name}.js`);
  if (!existsSync(file)) throw new Error(`${file} is missing: run npm run build`);
  return file;
}

/** Runs a recipe to its end. */
export function run(
  name: string,
  args: readonly string[],
  cwd: string,
  env?: NodeJS.ProcessEnv,
): Promise<Ended> {
  return start(name, args, cwd, env).ended;
}

/** A process in which recipes run one after another, which loads the package once. */
export interface SharedProcess {
  /** Runs a recipe to its end, after those that were asked for before. */
  readonly run: typeof run;
  close(): void;
}

/**
 * Starts a process for recipes of which a test asks only what they say and leave: many of them pay for one start of
 * Node, the trainings of a study too. What is killed, stopped or runs beside others needs `run` or `start`, and so does
 * what must find a plugin by itself: one that was loaded stays.
 */
export function sharedProcess(): SharedProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'in-turn.mjs')], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const gone = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the recipes' process ended with ${signal ?? code}`);
  });
  gone.catch(() => {});
  let last: Promise<unknown> = Promise.resolve();
  const runNext = async (name: string, args: readonly string[], cwd: string): Promise<Ended> => {
    child.send({ file: fileOf(name), args, cwd });
    const [ended] = (await Promise.race([once(child, 'message'), gone])) as [Ended];
    return ended;
  };
  return {
    run: (name, args, cwd) => {
      const ended = last.then(() => runNext(name, args, cwd));
      last = ended.catch(() => {});
      return ended;
    },
    close: () => child.kill(),
  };
}
