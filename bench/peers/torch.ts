import { pythonWith } from '../../test/peers/python.js';
import { TORCH } from '../../test/peers/torch/requirements.js';
import type { StepResult } from '../result.js';
import { root } from '../root.js';

/** Runs the PyTorch twin with a command line of its own; its environment is made at the first call. */
export async function torch(args: readonly string[]): Promise<StepResult> {
  const python = await pythonWith('torch', TORCH);
  return python.json<StepResult>(new URL('bench/peers/torch_bench.py', root), [...args, '--json']);
}
