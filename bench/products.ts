import { gridOf } from '../src/model/vit/config.js';
import { type AdapterName, BLOCK_RANK, BLOCKS, RANK } from './adapters.js';
import { CLASSES, configOf, type ModelName } from './models.js';

/** One shape of matrix product: `batch` times [m, k]·[k, n], `count` times a step. */
export interface Product {
  readonly name: string;
  readonly kind: 'linear' | 'input gradient' | 'weight gradient' | 'batched';
  /** One factor is a weight that does not train: an engine may multiply in integers. */
  readonly frozen: boolean;
  readonly batch: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly count: number;
}

/**
 * The matrix products that a forward pass needs, and with `train` those of its gradients: no weight gradient for what
 * is frozen, no input gradient where nothing below trains, nothing computed twice.
 */
export function products(model: ModelName, adapter: AdapterName, images: number, train: boolean): Product[] {
  const { hidden_size: d, intermediate_size: wide, num_hidden_layers: layers, ...vit } = configOf(model);
  const { rows: tall, columns } = gridOf(configOf(model));
  const patches = tall * columns;
  const [rows, places] = [images * (patches + 1), images * patches];
  const adapted = adapter !== 'none' && adapter !== 'full';
  const list: Product[] = [];
  const push = (
    name: string,
    kind: Product['kind'],
    [batch, m, k, n]: Shape,
    count: number,
    frozen = false,
  ) => {
    if (count > 0) list.push({ name, kind, frozen, batch, m, k, n, count });
  };
  /** A linear map [rows, from] → [rows, to]: how often it runs, and how often each of its gradients does. */
  const linear = (name: string, [m, from, to]: Three, count: number, input: number, weight: number) => {
    push(name, 'linear', [1, m, from, to], count, weight === 0);
    if (!train) return;
    push(name, 'input gradient', [1, m, to, from], input, weight === 0);
    push(name, 'weight gradient', [1, from, m, to], weight);
  };

  const full = adapter === 'full';
  const through = adapter === 'none' ? 0 : layers;
  // Below the first block's own LoRA nothing trains; a serial adapter stands below query, key and value.
  const below = full || adapter === 'serial' ? through : Math.max(0, through - 1);
  const adapterLayers = full ? layers : 0;
  linear('patches', [places, vit.patch_size ** 2 * 3, d], 1, 0, full ? 1 : 0);
  linear('query, key, value', [rows, d, d], 3 * layers, 3 * below, 3 * adapterLayers);
  linear('attention output', [rows, d, d], layers, through, adapterLayers);
  linear('fc1', [rows, d, wide], layers, through, adapterLayers);
  linear('fc2', [rows, wide, d], layers, through, adapterLayers);

  const [heads, tokens, size] = [vit.num_attention_heads, patches + 1, d / vit.num_attention_heads];
  const keys = below === through ? through : through - 1;
  push('scores', 'batched', [images * heads, tokens, size, tokens], layers);
  push('values', 'batched', [images * heads, tokens, tokens, size], layers);
  if (train) {
    push('scores gradient', 'batched', [images * heads, tokens, size, tokens], through);
    push('value, query, key gradient', 'batched', [images * heads, tokens, tokens, size], 2 * through + keys);
  }

  const sites = adapter === 'serial' ? layers : 2 * layers;
  const sitesBelow = adapter === 'serial' ? layers - 1 : 2 * (layers - 1);
  if (adapter === 'localized') {
    const [chunk, low] = [d / BLOCKS, BLOCKS * BLOCK_RANK];
    const both = train ? 2 : 0;
    push('adapter', 'batched', [BLOCKS, rows, chunk, low], sites + (train ? sites : 0));
    push('adapter', 'batched', [BLOCKS, rows, low, chunk], sites + (train ? sitesBelow : 0));
    push('adapter', 'batched', [BLOCKS, chunk, rows, low], (both / 2) * sites);
    push('adapter', 'batched', [BLOCKS, low, rows, chunk], (both / 2) * sites);
  } else if (adapted) {
    linear('adapter down', [rows, d, RANK], sites, sitesBelow, sites);
    linear('adapter up', [rows, RANK, d], sites, sites, sites);
  }

  linear('head convolution', [places, 9 * d, d / 2], 1, through > 0 ? 1 : 0, 1);
  linear('head classes', [places, d / 2, CLASSES], 1, 1, 1);
  return list;
}

type Three = readonly [number, number, number];
type Shape = readonly [number, number, number, number];

/** Floating-point operations of products: two for each multiplication and its addition. */
export function flops(list: readonly Product[]): number {
  return list.reduce((sum, { batch, m, k, n, count }) => sum + 2 * batch * m * k * n * count, 0);
}
