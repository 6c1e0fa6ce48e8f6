import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { didYouMean } from '../base/did-you-mean.js';
import { UserError } from '../base/errors.js';
import { type Name, named } from '../base/named.js';
import { packageRoot } from '../base/package.js';
import { getBackend, ready, setBackend } from '../base/tfjs-core.js';
import { missing } from './missing.js';
import { PRECISIONS, type Precision } from './numbers/precision.js';
import { loadGradients } from './tfjs.js';
import { hasAccelerator } from './torch/addon.js';

/** Options of `useEngine`. */
export interface EngineOptions {
  /** Threads of the engine's own. Default: the cores that are available; one on wasm, where more gain little. */
  readonly threads?: number;
  /**
   * What matrix products round their factors to, where the engine can choose; tf32 and f16 are torch's alone, int16 and int8
   * onednn's. Default: the engine's own choice.
   */
  readonly precision?: Precision;
  /** What the torch engine computes on: `cuda`, `cuda:1`, `mps`, `xpu`, `cpu`. Default: the best that it finds. */
  readonly device?: string;
}

/** The engine that runs, and how it came to be chosen. */
export interface Engine {
  readonly name: string;
  /** Why the engine was chosen, for a person to read. */
  readonly why: string;
  readonly precision: string;
  readonly threads: number;
  /** What it computes on, where it can choose. */
  readonly device?: string;
}

/**
 * How an engine is started: `start` registers the tfjs backend of the engine's name, or is undefined where the engine is
 * not installed.
 */
export interface EngineSource {
  /** What to do if it is not installed. */
  readonly install: string;
  /** The command that says what an engine lacks that comes with this package. */
  readonly explain?: string;
  /** The precisions that it has. Default: not checked. */
  readonly precisions?: readonly Precision[];
  /** Makes the engine ready; undefined if this machine cannot run it. */
  start(options: EngineOptions): Promise<Omit<Engine, 'why' | 'name'> | undefined>;
}

/** Names of the engines that come with the package. */
type BuiltInEngine = 'onednn' | 'torch' | 'tensorflow' | 'webgpu' | 'wasm' | 'cpu';

/** A name of `engines`, or `auto`. */
export type EngineName = Name<BuiltInEngine | 'auto'>;

/**
 * The engines by name, which is the name of their tfjs backend. `auto` never takes one that a user registered.
 *
 * @example
 * engines.register('mine', {
 *   install: 'npm install my-tfjs-backend',
 *   start: async () => { await import('my-tfjs-backend' as string); return { precision: 'f32', threads: 1 }; },
 * });
 */
export const engines = named<BuiltInEngine, EngineSource>('engine', {
  onednn: {
    install: `apt-get install g++ libdnnl-dev (or brew install onednn), then ${npmRun('build:native')}`,
    explain: npmRun('build:native'),
    precisions: ['f32', 'bf16', 'int16', 'int8'],
    start: (options) => ownEngine('./onednn.js', options),
  },
  torch: {
    install: `pip install torch, then ${npmRun('build:torch')}`,
    explain: npmRun('build:torch'),
    precisions: ['f32', 'tf32', 'bf16', 'f16'],
    start: (options) => ownEngine('./torch.js', options),
  },
  tensorflow: {
    install: `pip install tensorflow-cpu (or tensorflow[and-cuda]), then ${npmRun('setup:tensorflow')}`,
    precisions: ['f32'],
    start: (options) => ownEngine('./tensorflow.js', options),
  },
  webgpu: {
    install: 'npm install webgpu@0.6.2 @tensorflow/tfjs-backend-webgpu@4.22.0',
    precisions: ['f32'],
    start: (options) => ownEngine('./webgpu.js', options),
  },
  wasm: {
    install: 'npm install @tensorflow/tfjs-backend-wasm',
    precisions: ['f32'],
    start: async ({ threads }) => {
      const { registerWasm } = await import('./wasm.js');
      return { precision: 'f32', threads: await registerWasm(threads) };
    },
  },
  cpu: {
    install: 'npm install @tensorflow/tfjs-backend-cpu',
    precisions: ['f32'],
    start: async () => {
      await import('@tensorflow/tfjs-backend-cpu');
      return { precision: 'f32', threads: 1 };
    },
  },
});

/** Engines from fastest to slowest; webgpu is left out, since without a GPU it runs on a slow emulation. */
const FASTEST = ['onednn', 'torch', 'tensorflow', 'wasm', 'cpu'] as const;

/**
 * Chooses the engine of all further tensor work in this process.
 *
 * `auto` takes MILLRACE_ENGINE where that is set, else the fastest that is installed; `why` says which and why, and how
 * to build an engine that is missing.
 *
 * @throws UserError for an engine that is asked for by name and is not installed (it says how to install it), and for
 * threads that are fewer than one or more than the cores.
 * @example
 * const engine = await useEngine('auto');
 * console.log(engine.name, engine.why);
 */
export async function useEngine(name: EngineName = 'auto', options: EngineOptions = {}): Promise<Engine> {
  inUse = await choose(name, options);
  return inUse;
}

let inUse: Engine | undefined;

/** The engine that this process computes on; if none was chosen, the one that tfjs selected. */
export function engineInUse(): Pick<Engine, 'name' | 'precision'> {
  return inUse ?? { name: getBackend() as Engine['name'], precision: 'f32' };
}

async function choose(name: EngineName, options: EngineOptions): Promise<Engine> {
  const usual = onlyEngine(options.precision) ?? 'auto';
  const engineName = name === 'auto' ? (process.env['MILLRACE_ENGINE'] ?? usual) : name;
  const names = ['auto', ...engines.names];
  if (!names.includes(engineName))
    throw new UserError(
      `${name === 'auto' ? 'MILLRACE_ENGINE' : 'engine'}: expected one of ${names.join(', ')}, got ${engineName}${didYouMean(engineName, names)}`,
      { engine: engineName },
    );
  check(engineName, options);
  if (engineName === 'auto') {
    const failures: string[] = [];
    for (const candidate of hasAccelerator() && options.device !== 'cpu'
      ? (['torch', ...FASTEST] as const)
      : FASTEST) {
      const started = await start(candidate, options);
      if (started) {
        const why =
          failures.length > 0 ? `the fastest here; not installed: ${failures.join(', ')}` : 'the fastest';
        return { name: candidate, why, ...started };
      }
      const { explain } = engines.get(candidate);
      failures.push(explain ? `${candidate} (build it: ${explain})` : candidate);
    }
  }
  const started = await start(engineName, options);
  const alone = name === 'auto' && usual !== 'auto' ? `the only one with ${options.precision}` : 'asked for';
  if (started)
    return {
      name: engineName,
      why: name === 'auto' && process.env['MILLRACE_ENGINE'] ? 'MILLRACE_ENGINE asks for it' : alone,
      ...started,
    };
  throw new UserError(
    `--engine ${engineName}: expected it to be installed, got nothing that loads; install it: ${engines.get(engineName).install}`,
    { engine: engineName },
  );
}

/** The names of the engines that have a precision. */
function enginesWith(precision: Precision): string[] {
  return engines.names.filter((name) => engines.get(name).precisions?.includes(precision));
}

/** The engine with a precision that no other has. */
function onlyEngine(precision: Precision | undefined): string | undefined {
  const names = precision === undefined ? [] : enginesWith(precision);
  return names.length === 1 ? names[0] : undefined;
}

/** "f32, bf16 or int8". */
function oneOf(names: readonly string[]): string {
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

/** Checks the number of threads: more than the cores gain nothing, and thousands end the process. */
function check(engine: string, { threads, precision, device }: EngineOptions): void {
  const cores = availableParallelism();
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= cores))
    throw new UserError(
      `--threads: expected an integer from 1 to ${cores}, this machine's cores, got ${threads}`,
      {
        threads,
        cores,
      },
    );
  if (precision !== undefined && !PRECISIONS.includes(precision))
    throw new UserError(`--precision: expected ${PRECISIONS.join(', ')}, got ${precision}`, { precision });
  if (precision?.startsWith('int') && engine !== 'onednn')
    throw new UserError(
      `--precision ${precision}: expected --engine onednn with it, got ${engine}; the other engines have no integer products`,
      { engine, precision },
    );
  const precisions = engine === 'auto' ? undefined : engines.get(engine).precisions;
  if (precision !== undefined && precisions && !precisions.includes(precision))
    throw new UserError(
      `--precision ${precision}: expected ${oneOf(precisions)} on the ${engine} engine, got ${precision}; ${precision} is for --engine ${enginesWith(precision).join(' and ')}`,
      { engine, precision },
    );
  if (device !== undefined && device !== 'cpu' && engine !== 'torch')
    throw new UserError(`--device ${device}: expected --engine torch with it, got ${engine}`, {
      engine,
      device,
    });
}

/** The command that runs a script of this package, from wherever this process runs. */
function npmRun(script: string): string {
  const near = relative(process.cwd(), packageRoot);
  if (near === '') return `npm run ${script}`;
  return `npm run ${script} --prefix ${near.startsWith('..') ? packageRoot : near}`;
}

/** Starts an engine of this package; by a path that is not a literal, since its module knows the types above. */
async function ownEngine(path: string, options: EngineOptions) {
  const module = (await import(path).catch(missing)) as
    | { readonly register: EngineSource['start'] }
    | undefined;
  return module?.register(options).catch(missing);
}

async function start(name: string, options: EngineOptions) {
  const started = await engines.get(name).start(options);
  if (!started || !(await setBackend(name))) return undefined;
  await ready();
  loadGradients();
  return started;
}
