import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import util from 'node:util';
import type { KernelBackend } from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.js';
import { packageRoot } from '../base/package.js';
import { findBackend, registerBackend } from '../base/tfjs-core.js';
import type { EngineOptions } from './engine.js';
import { registerFallbacks } from './fallback.js';
import { missing } from './missing.js';
import { hasBinding } from './tfjs-node.js';

/** Where `npm run setup:tensorflow` puts tfjs-node and its binding. */
const FOLDER = join(packageRoot, 'native', 'build', 'tensorflow');

const TFJS_NODE = '@tensorflow/tfjs-node';

/** What the tensorflow engine runs with. */
export interface Tensorflow {
  readonly precision: 'f32';
  readonly threads: number;
}

/**
 * Registers the tfjs backend `tensorflow`: tfjs-node-gpu or tfjs-node where npm could install it, else what
 * `npm run setup:tensorflow` built; undefined where there is neither.
 *
 * `threads` bounds those of an operation, by TF_NUM_INTRAOP_THREADS, and counts at the first call of a process.
 * TensorFlow's own notes on standard error are left out unless TF_CPP_MIN_LOG_LEVEL asks for them.
 */
export async function register({ threads }: EngineOptions = {}): Promise<Tensorflow | undefined> {
  const { env } = process;
  env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  if (threads !== undefined) env['TF_NUM_INTRAOP_THREADS'] = String(threads);
  // Node 23 removed both, and tfjs-node calls them with every tensor that it reads.
  Object.assign(util, { isNullOrUndefined: (value: unknown) => value == null, isArray: Array.isArray });
  if (!findBackend('tensorflow') && !(await importPackage()) && !registerOwnBuild()) return undefined;
  registerFallbacks('tensorflow');
  return { precision: 'f32', threads: threads ?? availableParallelism() };
}

/** Imports the tfjs-node that npm installed, which registers its backend; whether there is one that loads. */
async function importPackage(): Promise<boolean> {
  for (const name of [`${TFJS_NODE}-gpu`, TFJS_NODE])
    if (hasBinding(name) && (await import(name).catch(missing))) return true;
  return false;
}

/**
 * Registers the backend of the set-up, which shares this process's tfjs-core; whether there is one.
 *
 * @throws UserError where it does not load, as when the TensorFlow that it was built against is gone.
 */
function registerOwnBuild(): boolean {
  const path = join(FOLDER, 'tfjs_binding.node');
  if (!existsSync(path)) return false;
  try {
    const require = createRequire(path);
    const tfjsNode = (module: string): unknown =>
      require(join(FOLDER, 'node_modules', TFJS_NODE, 'dist', module));
    const binding: unknown = require(path);
    tfjsNode('register_all_kernels.js');
    const { NodeJSKernelBackend } = tfjsNode('nodejs_kernel_backend.js') as {
      NodeJSKernelBackend: new (binding: unknown, name: string) => KernelBackend;
    };
    const backend = new NodeJSKernelBackend(binding, TFJS_NODE);
    return registerBackend('tensorflow', () => backend, 3);
  } catch (cause) {
    throw new UserError(
      `${path}: expected tfjs-node's binding to load, got ${(cause as Error).message.split('\n')[0]}; run npm run setup:tensorflow again, or remove the folder`,
      { path },
      { cause },
    );
  }
}
