import { UserError } from '../base/errors.js';
import type { EngineName, EngineOptions } from '../engine/engine.js';
import { hasBinding } from '../engine/tfjs-node.js';
import { torchAddonPath } from '../engine/torch/addon.js';

/** TensorFlow's package that computes on a CUDA card. */
const GPU = '@tensorflow/tfjs-node-gpu';

/** The flags of the engine. */
interface EngineFlags extends Pick<EngineOptions, 'precision' | 'threads'> {
  readonly engine: EngineName;
  readonly device?: string | undefined;
}

/**
 * The engine that `--engine` and `--device` choose, and its options for `useEngine`.
 *
 * A device is the processor, `cpu`, on whatever engine, or a card by LibTorch's name, `cuda`, `cuda:1`, `mps`, `xpu`, on the
 * torch engine; `cuda` is TensorFlow's engine where that is asked for, or is the one that is installed. As upstream has it, a
 * device may also be an engine.
 *
 * @throws UserError for a card where no engine for it is installed, or another one is asked for.
 * @example
 * const engine = await useEngine(...engineOf({ engine: 'auto', device: 'cuda:1' }));
 */
export function engineOf({
  engine,
  device,
  precision,
  threads,
}: EngineFlags): [name: EngineName, options: EngineOptions] {
  const options = { ...(precision && { precision }), ...(threads && { threads }) };
  if (device === undefined) return [engine, options];
  if (device === 'cpu') return [engine, { ...options, device }];
  const card = /^(cuda|mps|xpu)(:\d+)?$/.test(device);
  const wanted = card ? cardEngine(engine, device) : (device as EngineName);
  if (engine !== 'auto' && engine !== wanted)
    throw new UserError(
      `--device ${device}: expected the same as --engine ${engine}; leave one of them out`,
      { device },
    );
  return [wanted, wanted === 'torch' ? { ...options, ...(card && { device }) } : options];
}

/** The engine that computes on a graphics card. */
function cardEngine(engine: EngineName, device: string): EngineName {
  const tensorflow = device === 'cuda' && hasBinding(GPU);
  if (tensorflow && engine === 'tensorflow') return engine;
  if (engine === 'torch' || torchAddonPath() !== undefined) return 'torch';
  if (tensorflow) return 'tensorflow';
  throw new UserError(
    `--device ${device}: expected an engine that computes on a card, got none; pip install torch && npm run build:torch, or leave --device out to compute on the processor`,
    { device },
  );
}
