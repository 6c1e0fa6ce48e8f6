import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
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
  return startNode([fileOf(name), ...args], cwd, env);
}

function fileOf(name: string): string {
  const file = join(root, 'recipes', `${name}.js`);
  if (!existsSync(file)) throw new Error(`${file} is missing: run npm run build`);
  return file;
}

function startNode(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Running {
  const child = spawn(process.execPath, args, {
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

/** Runs a recipe to its end. */
export function run(
  name: string,
  args: readonly string[],
  cwd: string,
  env?: NodeJS.ProcessEnv,
): Promise<Ended> {
  return start(name, args, cwd, env).ended;
}

/** A recipe that runs beside others in `runInTurn`. */
export interface Turn {
  readonly name: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/**
 * Runs recipes one after another in one process, which loads the package once: for tests of what recipes say and leave,
 * many of which pay for a start of Node only once. What must be a process of its own, to be killed or to die, is `run`.
 */
export async function runInTurn(turns: readonly Turn[]): Promise<Ended[]> {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-in-turn-'));
  try {
    const [input, output] = [join(dir, 'runs.json'), join(dir, 'ends.json')];
    const runs = turns.map(({ name, args, cwd }) => ({ file: fileOf(name), args, cwd }));
    await writeFile(input, JSON.stringify(runs));
    const { code, signal, stderr } = await startNode(
      [join(import.meta.dirname, 'in-turn.mjs'), input, output],
      dir,
      {},
    ).ended;
    const ends = JSON.parse(await readFile(output, 'utf8').catch(() => '[]')) as Ended[];
    const lost = turns[ends.length];
    if (lost)
      throw new Error(`${lost.name} ${lost.args.join(' ')}: ended the process, ${signal ?? code}: ${stderr}`);
    return ends;
  } finally {
    await rm(dir, { recursive: true });
  }
}
