import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { tensor, tidy, zeros } from '../../base/tfjs-core.js';
import { randomStream } from '../../random/random-stream.js';
import type { Adapter, AdapterParameter, Site } from '../adapter.js';
import type { Target } from '../targets.js';
import type { VitConfig } from './config.js';

/** The linear maps of a block: those that adapters change, and the gate of a gated MLP. */
export type BlockMap = Target | 'gate';

/** Where a linear map is. */
export interface Place {
  readonly layer: number;
  readonly target: BlockMap;
}

/** The linear maps that an adapter changes in a ViT, block by block. @throws UserError for a block that it lacks. */
export function adapterSites(
  { targets, layers, exclude = [] }: Pick<Adapter, 'targets' | 'layers' | 'exclude'>,
  config: VitConfig,
): Site[] {
  const { num_hidden_layers: count, hidden_size: d, intermediate_size: wide } = config;
  for (const layer of layers ?? [])
    if (!Number.isInteger(layer) || layer < 0 || layer >= count)
      throw new UserError(`layers: expected blocks from 0 to ${count - 1}, got ${layer}; see --layers`, {
        layer,
      });
  const sites = (layers ?? [...Array(count).keys()]).flatMap((layer) =>
    targets.map((target) => ({
      layer,
      target,
      inputs: target === 'fc2' ? wide : d,
      outputs: target === 'fc1' ? wide : d,
    })),
  );
  const names = sites.map(siteName);
  const unknown = exclude.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new UserError(
      `exclude: expected maps that are adapted otherwise, such as ${names[0]}, got ${unknown}; see --exclude`,
      { exclude: unknown },
    );
  return sites.filter((_site, i) => !exclude.includes(names[i]!));
}

/** The name of the linear map at a site: its parameters add `.weight` and `.bias`. */
export function siteName({ layer, target }: Place): string {
  return `layers.${layer}.${target}`;
}

/** The initial value of an adapter's parameter, zeros without a seed; `weight` is the site's own. */
export function initialValue(
  { name, shape, init, dtype = 'float32' }: AdapterParameter,
  weight: () => Tensor,
  seed: number | undefined,
): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  if (seed === undefined) return zeros([...shape], dtype);
  const random = randomStream(seed, 'adapter', name);
  if (typeof init !== 'number') return tidy(() => init(weight(), random));
  const data =
    init === 0
      ? new Float32Array(size)
      : Float32Array.from({ length: size }, () => (2 * random() - 1) * init);
  return tensor(data, [...shape]);
}
