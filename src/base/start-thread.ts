import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts the module `name` beside `importer` as a thread, compiled or, under tsx, as the source that it is: on Node 20
 * a thread does not inherit the loader that its process was given.
 */
export function startThread(name: string, importer: string, workerData: unknown): Worker {
  // Flags of the process, as for a program from the command line, are not the thread's.
  const options: WorkerOptions = { workerData, execArgv: [] };
  if (!importer.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, importer), options);
  const loader = createRequire(importer).resolve('tsx/cjs/api');
  const source = fileURLToPath(new URL(`./${name}.ts`, importer));
  const program = `require(${JSON.stringify(loader)}).register(); require(${JSON.stringify(source)});`;
  return new Worker(program, { ...options, eval: true });
}
