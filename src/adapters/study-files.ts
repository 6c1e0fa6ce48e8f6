import { UserError } from '../base/errors.js';
import { tensor } from '../base/tfjs-core.js';
import { readSafetensors } from '../files/safetensors.js';
import type { StoredTensor } from '../files/safetensors-format.js';
import type { Adapter } from '../model/adapter.js';
import type { Target } from '../model/targets.js';
import type { AdaptableVit } from '../model/vit/adaptable-vit.js';
import type { InjectOptions } from '../model/vit/held-adapter.js';
import { localizedLora } from './localized-lora.js';
import { lora } from './lora.js';
import { serialLora } from './serial-lora.js';

/** Options of `loadStudyAdapter`. */
export interface StudyAdapterOptions extends InjectOptions {
  /** The alpha that it was trained with, which the file does not hold; Serial LoRA has none. */
  readonly alpha?: number | undefined;
}

/** One factor of the file: PyTorch's matrix [rank, in] or [out, rank], and its place. */
interface Factor {
  readonly layer: number;
  readonly target: Target;
  readonly factor: 'A' | 'B';
  /** The chunks of input and output of a block. */
  readonly block: readonly [input: number, output: number];
  readonly stored: StoredTensor;
}

const PROJECTIONS: Readonly<Record<string, Target>> = {
  q: 'query',
  v: 'value',
  query: 'query',
  key: 'key',
  value: 'value',
};

/**
 * Loads an adapter file of the original Python study: `q_A_0` … of LoRA, `query_A_0` … of Serial LoRA, and `l0_A_0_1` … of
 * Localized LoRA, whose number counts query and value of each block, then the chunks of input and output.
 *
 * @throws UserError for tensors that are none of these or do not fit the model, and for a missing alpha.
 * @example
 * await loadStudyAdapter(model, 'lora.safetensors', { alpha: 16 });
 */
export async function loadStudyAdapter<M extends AdaptableVit>(
  model: M,
  path: string,
  { alpha, ...options }: StudyAdapterOptions = {},
): Promise<M> {
  const { tensors } = await readSafetensors(path);
  const factors = [...tensors].map(([name, stored]) => factorOf(name, stored, path));
  if (factors.length === 0)
    throw new UserError(`${path}: expected the factors of an adapter, got none`, { path });
  const adapter = adapterOf(factors, [...tensors.keys()], alpha, path);
  const values = valuesOf(model, adapter, factors, path);
  model.inject(adapter, undefined, options);
  for (const [name, value] of values)
    model.parameters.set(name, tensor(value, model.parameters.get(name).shape));
  return model;
}

function factorOf(name: string, stored: StoredTensor, path: string): Factor {
  const [, projection, factor, layer] = /^(q|v|query|key|value)_([AB])_(\d+)$/.exec(name) ?? [];
  if (projection)
    return {
      layer: Number(layer),
      target: PROJECTIONS[projection]!,
      factor: factor as 'A',
      block: [0, 0],
      stored,
    };
  const [, index, part, input, output] = /^l(\d+)_([AB])_(\d+)_(\d+)$/.exec(name) ?? [];
  if (index === undefined)
    throw new UserError(
      `${path}: expected tensors of the study, such as q_A_0, query_A_0 or l0_A_0_0, got ${name}; a folder of PEFT has adapter_config.json`,
      { path },
    );
  return {
    layer: Math.floor(Number(index) / 2),
    target: Number(index) % 2 === 0 ? 'query' : 'value',
    factor: part as 'A',
    block: [Number(input), Number(output)],
    stored,
  };
}

function adapterOf(
  factors: readonly Factor[],
  names: readonly string[],
  alpha: number | undefined,
  path: string,
): Adapter {
  const rank = factors.find(({ factor }) => factor === 'A')?.stored.shape[0] ?? 0;
  if (names.every((name) => /^(query|key|value)_/.test(name))) return serialLora({ rank, shared: false });
  if (alpha === undefined)
    throw new UserError(`${path}: expected the alpha that it was trained with, got none; see --alpha`, {
      path,
    });
  if (names.every((name) => /^[qv]_/.test(name))) return lora({ rank, alpha });
  if (!names.every((name) => name.startsWith('l')))
    throw new UserError(`${path}: expected the tensors of one adapter, got those of several`, { path });
  return localizedLora({
    blocks: 1 + Math.max(...factors.map(({ block }) => block[0])),
    blockRank: rank,
    alpha,
  });
}

/** The values of the adapter's parameters, each filled whole. */
function valuesOf(
  model: AdaptableVit,
  adapter: Adapter,
  factors: readonly Factor[],
  path: string,
): Map<string, Float32Array> {
  const shapes = new Map(
    model
      .sitesOf(adapter)
      .flatMap((site) => adapter.parameters(site).map(({ name, shape }) => [name, shape] as const)),
  );
  const values = new Map(
    [...shapes].map(([name, shape]) => [
      name,
      new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(Number.NaN),
    ]),
  );
  for (const { layer, target, factor, block, stored } of factors) {
    const name = [...shapes.keys()].find(
      (one) => one.startsWith(`layers.${layer}.${target}.`) && one.endsWith(`_${factor}`),
    );
    const shape = name === undefined ? undefined : shapes.get(name)!;
    const [K, rows, width] = shape?.length === 3 ? shape : [1, ...(shape ?? [0, 0])];
    const [chunk, other] = factor === 'A' ? block : [block[1], block[0]];
    const r = factor === 'A' ? width! / K! : rows! / K!;
    const wanted = factor === 'A' ? [r, rows!] : [width!, r];
    if (name === undefined || stored.shape.join() !== wanted.join() || chunk >= K! || other >= K!)
      throw new UserError(
        `${path}: expected factors of ${adapter.name} that fit this model, got ${factor} of ${target} in block ${layer} of shape [${stored.shape.join(', ')}]${name === undefined ? '' : ` for [${wanted.join(', ')}]`}; name the model that it was trained on`,
        { path },
      );
    const [n, m] = stored.shape as [number, number];
    // PyTorch's [out, in], transposed, as one block of columns of A or of rows of B.
    for (let o = 0; o < n; o++)
      for (let i = 0; i < m; i++) {
        const [row, column] = factor === 'A' ? [i, other * r + o] : [other * r + i, o];
        values.get(name)![(chunk * rows! + row) * width! + column] = stored.data[o * m + i]!;
      }
  }
  const missing = [...values].find(([, data]) => data.some(Number.isNaN));
  if (missing)
    throw new UserError(
      `${path}: expected all factors of ${adapter.name}, got none or not-a-numbers for ${missing[0]}`,
      { path },
    );
  return values;
}
