import { UserError } from '../base/errors.js';
import { installedVersion } from '../base/package.js';
import type { EngineName } from '../engine/engine.js';

/** TensorFlow's package that computes on a CUDA card. */
const GPU = '@tensorflow/tfjs-node-gpu';

/**
 * The engine that `--engine` and `--device` ask for. `--device` is upstream's word: `cpu` is the processor, on the engine
 * that `--engine` names; `cuda` is TensorFlow's own engine for it; any other is an engine.
 *
 * @throws UserError for `cuda` where no engine for it is installed, or another one is asked for.
 */
export function engineOf({
  engine,
  device,
}: {
  readonly engine: EngineName;
  readonly device?: EngineName | 'cuda' | undefined;
}): EngineName {
  if (device === undefined || device === 'cpu') return engine;
  if (engine !== 'auto' && engine !== (device === 'cuda' ? 'tensorflow' : device))
    throw new UserError(
      `--device ${device}: expected the same as --engine ${engine}; leave one of them out`,
      {
        device,
      },
    );
  if (device !== 'cuda') return device;
  if (installedVersion(GPU) === undefined)
    throw new UserError(
      `--device cuda: expected an engine that computes on a CUDA card, got none; npm install ${GPU}, or leave --device out to compute on the processor`,
      { device },
    );
  return 'tensorflow';
}
