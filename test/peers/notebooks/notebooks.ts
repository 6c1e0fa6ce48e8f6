import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Python } from '../../../bench/peers/python.js';
import { packageRoot } from '../../../src/base/package.js';

const run = promisify(execFile);

/** The kernel of the notebooks, from npm: its name and version. */
export const TSLAB = ['tslab', '1.0.22'] as const;

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

/**
 * Executes a notebook as a user of the package has it: in a folder of its own, where the package is installed.
 *
 * @param modules the `node_modules` with tslab
 * @returns the notebook with its outputs, as JSON.
 */
export async function executed(python: Python, modules: string, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-notebook-'));
  try {
    const kernel = join(folder, 'jupyter', 'kernels', 'tslab');
    await mkdir(kernel, { recursive: true });
    const tslab = join(modules, 'tslab', 'bin', 'tslab');
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
