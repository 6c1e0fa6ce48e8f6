import type { StepResult } from '../result.js';
import { root } from '../root.js';
import { pythonWith } from './python.js';

/**
 * The requirements of benchmarks and tests against PyTorch and PEFT; pip takes a CPU build of torch if it finds one.
 */
export const TORCH = [
  'torch==2.13.0',
  'numpy==2.3.5',
  'safetensors==0.7.0',
  'transformers==4.57.6',
  'peft==0.20.0',
];

/** Runs the PyTorch twin with a command line of its own; its environment is made at the first call. */
export async function torch(args: readonly string[]): Promise<StepResult> {
  const python = await pythonWith('torch', TORCH);
  return python.json<StepResult>(new URL('bench/peers/torch_bench.py', root), [...args, '--json']);
}
