import { execFile, spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/base/package.js';

const run = promisify(execFile);

/** A Python interpreter with the packages of one peer. */
export class Python {
  constructor(readonly path: string) {}

  /**
   * Runs a script, with `input` as JSON on its standard input, and parses its output as JSON.
   *
   * @throws with the script's standard error where it fails.
   */
  async json<T>(script: URL, args: readonly string[] = [], input?: unknown): Promise<T> {
    return JSON.parse(await this.text(script, args, input)) as T;
  }

  /** Runs a script whose output is not JSON. */
  text(script: URL, args: readonly string[] = [], input?: unknown): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn(this.path, [fileURLToPath(script), ...args], {
        cwd: packageRoot,
        env: { ...process.env, HF_HUB_OFFLINE: '1', PYTHONDONTWRITEBYTECODE: '1' },
      });
      const output = { stdout: '', stderr: '' };
      for (const stream of ['stdout', 'stderr'] as const)
        child[stream].setEncoding('utf8').on('data', (chunk: string) => {
          output[stream] += chunk;
        });
      child.on('error', reject).on('close', (code) => {
        if (code === 0) resolve(output.stdout);
        else reject(new Error(`${fileURLToPath(script)} ended with ${code}:\n${output.stderr}`));
      });
      child.stdin.on('error', () => {}).end(input === undefined ? '' : JSON.stringify(input));
    });
  }
}

const environments = new Map<string, Promise<Python>>();

/**
 * The environment `.venv/<name>` with exactly these requirements, made when it is not there; MILLRACE_PYTHON names
 * the interpreter that makes it (default python3). It rejects where the environment cannot be had.
 */
export function pythonWith(name: string, requirements: readonly string[]): Promise<Python> {
  const environment = environments.get(name) ?? makeEnvironment(name, requirements);
  environments.set(name, environment);
  return environment;
}

async function makeEnvironment(name: string, requirements: readonly string[]): Promise<Python> {
  const folder = join(packageRoot, '.venv', name);
  const python = join(folder, 'bin', 'python');
  // Written last, so an environment that was cut off while it was made is made anew.
  const stamp = join(folder, 'requirements.txt');
  const requirementsText = `${requirements.join('\n')}\n`;
  if ((await readFile(stamp, 'utf8').catch(() => '')) === requirementsText) return new Python(python);
  console.error(`    making .venv/${name} with ${requirements.join(', ')}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(packageRoot, '.venv'), { recursive: true });
  await run(process.env['MILLRACE_PYTHON'] ?? 'python3', ['-m', 'venv', folder]);
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...requirements]);
  await writeFile(stamp, requirementsText);
  return new Python(python);
}
