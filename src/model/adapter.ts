import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.js';
import type { Frozen, LinearMap } from '../engine/ops/linears.js';
import type { LowRank } from '../engine/ops/low-rank.js';
import type { Random } from '../random/random-stream.js';
import type { Pass } from './model.js';
import { TARGETS, type Target } from './targets.js';

/** One linear map that an adapter may change. */
export interface Site {
  /** The block, from 0. */
  readonly layer: number;
  readonly target: Target;
  /** Width of the map's input. */
  readonly inputs: number;
  /** Width of the map's output. */
  readonly outputs: number;
}

/** The map at a site: weight [in, out], bias [out]; `frozen` if neither trains, for the `LinearMap` that an adapter makes. */
export interface Base {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly frozen: Frozen;
}

/** A parameter that an adapter adds at a site. */
export interface AdapterParameter {
  /** Unique in the model; sites that share a parameter give it the same name. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Default float32; int32 is for a buffer. */
  readonly dtype?: 'float32' | 'int32';
  /** The initial value: uniform in ±bound (0 is zero), or a function of the frozen weight [in, out]. */
  readonly init: number | ((weight: Tensor, random: Random) => Tensor);
  /** It never trains, and checkpoints hold it beside those that do. Default false. */
  readonly buffer?: boolean;
  /** Its learning rate, as a multiple of the adapter's. Default 1. */
  readonly rate?: number;
}

/** The context of one forward pass for an adapter. */
export interface AdapterPass extends Pass {
  /** The value of one of this site's parameters, by the last part of its name. */
  readonly own: (part: string) => Tensor;
  /** Computes once per pass a value that several sites share. */
  readonly once: (key: string, compute: () => Tensor) => Tensor;
}

/** The form in which PEFT (Hugging Face's library of adapters) stores the same change. */
export interface PeftForm {
  /** `peft_type` and its settings, as adapter_config.json names them. */
  readonly config: Readonly<Record<string, unknown>> & { readonly peft_type: string };
  /** The places of its tensors in adapter_model.safetensors, by the last part of our parameter's name. */
  readonly keys: Readonly<Record<string, PeftKey>>;
  /** Settings of one map where they may differ from those of `config`, such as `rank_pattern`. */
  readonly patterns?: (
    site: Site,
  ) => Readonly<Record<string, { readonly value: number; readonly usual: number }>>;
  /** The tensors to write for a map, by the names in `keys`, where they are not the parameters themselves. */
  readonly tensors?: (own: (part: string) => Tensor) => Readonly<Record<string, Tensor>>;
}

/** The place of a tensor beside its module's name in adapter_model.safetensors. */
export interface PeftKey {
  readonly key: string;
  /** Whether PEFT stores a matrix as PyTorch's `Linear` does, [out, in]; otherwise it has our layout. Default false. */
  readonly transposed?: boolean;
}

/** What a linear map reads, over some batches. */
export interface MapInputs {
  /** How many rows were seen: tokens of all pictures. */
  readonly rows: number;
  /**
   * The directions in which the rows vary most, the largest first, of length 1 and orthogonal: the principal components.
   * Each has a positive element where it is largest.
   */
  axes(count: number): readonly Float64Array[];
}

/**
 * A small trainable change to frozen linear maps: the one contract of all adapters.
 *
 * At its initial parameters `apply` is the base map itself, and `merged` is the plain linear map that does the same as
 * both together. Each kind answers for itself; the code that uses them never asks which kind it has.
 */
export interface Adapter {
  readonly name: string;
  /**
   * The options from which it can be made again: a checkpoint records them, and the registered function receives
   * them.
   */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly targets: readonly Target[];
  /** Block numbers, from 0; absent: all blocks. */
  readonly layers?: readonly number[];
  /** Maps of these blocks that it leaves alone, such as `layers.0.query`. */
  readonly exclude?: readonly string[];
  /** Absent if PEFT has no such adapter. */
  readonly peft?: PeftForm;
  /** The parameters that it adds at a site. */
  parameters(site: Site): AdapterParameter[];
  /**
   * Whether the adapter trains a parameter of the backbone itself, such as `layers.0.query.bias`. It is then saved, loaded
   * and counted as one of the adapter's, and stays as it was trained when the adapter is merged.
   */
  trains?(name: string): boolean;
  /** The learning rate of what `trains` names, as a multiple of the adapter's. Default 1. */
  readonly trainedRate?: number;
  /**
   * The initial values of parameters of a site, by the last parts of their names, where they follow from data. The model then
   * refuses to train before `AdapterStart` has given it some.
   */
  start?(site: Site, inputs: MapInputs): Readonly<Record<string, Tensor>>;
  /**
   * x [..., in] → [..., out], or the linear map that does it: maps of one input then run together, the low-rank
   * change with them.
   */
  apply(site: Site, x: Tensor, base: Base, pass: AdapterPass): Tensor | LinearMap;
  /**
   * The weight [in, out] of base and adapter together, or weight and bias [out] where the bias changes, too. Absent where
   * no linear map does what the adapter does: it is then scored unmerged, and `merge` of a model refuses it.
   */
  merged?(site: Site, weight: Tensor, own: (part: string) => Tensor, bias: Tensor): Tensor | MergedMap;
  /** Its change as the product of two matrices, where it is one: adapters are combined by it. */
  lowRank?(site: Site, own: (part: string) => Tensor): LowRank;
}

/** A linear map that stands for base and adapter: weight [in, out], bias [out]. */
export type MergedMap = Readonly<Record<'weight' | 'bias', Tensor>>;

/** Options that all adapters share. */
export interface AdapterOptions {
  /** Default query and value. */
  readonly targets?: readonly Target[];
  /** Which blocks, from 0. Default all. */
  readonly layers?: readonly number[];
  /** Maps to leave alone among these, such as `layers.0.query`. Default none. */
  readonly exclude?: readonly string[];
  /** Dropout on the adapter's input while training, 0 to 1. Default 0. */
  readonly dropout?: number;
}

/** Checks the options that all adapters share. */
export function checkOptions({
  targets = ['query', 'value'],
  layers,
  exclude,
  dropout = 0,
}: AdapterOptions): readonly Target[] {
  for (const [name, values] of Object.entries({ targets, layers: layers ?? [], exclude: exclude ?? [] })) {
    if (!Array.isArray(values))
      throw new UserError(`${name}: expected a list, got ${JSON.stringify(values)}; see --${name}`, { name });
    const twice = values.find((value, i) => values.indexOf(value as never) < i);
    if (twice !== undefined)
      throw new UserError(`${name}: expected each once, got ${values.join()}; see --${name}`, { twice });
  }
  for (const target of targets)
    if (!TARGETS.includes(target))
      throw new UserError(`targets: expected ${TARGETS.join(', ')}, got ${target}; see --targets`, {
        target,
      });
  if (targets.length === 0)
    throw new UserError(`targets: expected at least one of ${TARGETS.join(', ')}, got none`);
  if (layers?.length === 0)
    throw new UserError('layers: expected at least one block, got none; leave it out for all; see --layers');
  if (!(dropout >= 0 && dropout < 1))
    throw new UserError(`dropout: expected a rate from 0 to below 1, got ${dropout}`);
  return targets;
}

/** Refuses a rank above the width of the map at a site, since no change of the map can have a higher one. */
export function checkRank(name: 'rank' | 'blockRank', rank: number, { target, inputs, outputs }: Site): void {
  const width = Math.max(inputs, outputs);
  if (rank > width)
    throw new UserError(
      `${name}: expected at most the width of ${target}, ${width}, got ${rank}; see --${name === 'rank' ? name : 'r-block'}`,
      { [name]: rank },
    );
}

/** Refuses a value that is not a positive integer. */
export function checkCount(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new UserError(`${name}: expected an integer from 1 up, got ${value}`, { [name]: value });
}

/** Refuses a value that is not a finite number. */
export function checkFinite(name: string, value: number): void {
  if (!Number.isFinite(value))
    throw new UserError(`${name}: expected a finite number, got ${value}; see --${name}`, { [name]: value });
}
