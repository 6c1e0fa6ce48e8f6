import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Python } from '../../../bench/peers/python.js';
import { packageRoot } from '../../../src/base/package.js';

const run = promisify(execFile);

/** The kernel of the notebooks, from npm. */
const TSLAB = 'tslab@1.0.22';

/** What executes notebooks, from PyPI. */
export const NBCLIENT = ['nbclient==0.11.0', 'nbformat==5.11.1'];

/** The folder of the notebooks. */
export const NOTEBOOKS = join(packageRoot, 'docs', 'notebooks');

/** An output of a cell: text, pictures by their type, or an error. */
export interface Output {
  readonly output_type: string;
  /** The stream of a text. */
  readonly name?: string;
  readonly text?: string | readonly string[];
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A notebook, as its file has it. */
export interface Notebook {
  readonly cells: readonly {
    readonly cell_type: string;
    readonly source: string | readonly string[];
    readonly outputs?: readonly Output[];
  }[];
}

/** The names of the notebooks' files. */
export async function notebookFiles(): Promise<string[]> {
  return (await readdir(NOTEBOOKS)).filter((name) => name.endsWith('.ipynb')).toSorted();
}

/** Installs tslab into `.node/`, where it is not there already, and gives back its program. @throws the error of npm. */
export async function installTslab(): Promise<string> {
  const folder = join(packageRoot, '.node', TSLAB);
  const program = join(folder, 'node_modules', 'tslab', 'bin', 'tslab');
  if (existsSync(program)) return program;
  const partial = `${folder}.${process.pid}.partial`;
  await mkdir(partial, { recursive: true });
  await run('npm', ['install', '--prefix', partial, '--no-audit', '--no-fund', '--ignore-scripts', TSLAB]);
  await rm(folder, { recursive: true, force: true });
  await rename(partial, folder);
  return program;
}

/**
 * Executes a notebook as a user of the package has it: in a folder of its own, where the package is installed.
 *
 * @returns the notebook with its outputs, as JSON.
 */
export async function executed(python: Python, tslab: string, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-notebook-'));
  try {
    const kernel = join(folder, 'jupyter', 'kernels', 'tslab');
    await mkdir(kernel, { recursive: true });
    const argv = [process.execPath, tslab, 'kernel', '--config-path', '{connection_file}'];
    await writeFile(
      join(kernel, 'kernel.json'),
      JSON.stringify({ argv, display_name: 'TypeScript', language: 'typescript' }),
    );
    const project = join(folder, 'project');
    await mkdir(join(project, 'node_modules'), { recursive: true });
    await writeFile(join(project, 'package.json'), '{ "private": true }\n');
    await mkdir(join(project, 'node_modules', '@types'));
    await symlink(packageRoot, join(project, 'node_modules', 'millrace'));
    for (const name of ['rxjs', '@types/node'])
      await symlink(join(packageRoot, 'node_modules', name), join(project, 'node_modules', name));
    const script = join(packageRoot, 'test', 'peers', 'notebooks', 'execute.py');
    const env = { ...process.env, JUPYTER_PATH: join(folder, 'jupyter') };
    const options = { env, maxBuffer: 2 ** 26 };
    const { stdout } = await run(python.path, [script, join(NOTEBOOKS, name), project], options);
    return stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
