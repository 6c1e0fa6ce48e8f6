import type { Tensor } from '@tensorflow/tfjs-core';
import type { Frozen } from '../engine/ops/linears.js';

/** Which part of a model a parameter belongs to: `separate_lr` and the parameter counts follow it. */
export type ParameterGroup = 'backbone' | 'adapter' | 'head';

/**
 * A named tensor of a model. A `buffer` is saved with the trainable parameters and never has a gradient: state that the
 * forward pass itself moves (BatchNorm's running statistics), or a part of an adapter that stays as it was drawn.
 */
export interface Parameter {
  readonly name: string;
  /** Which part of the model it belongs to. */
  group: ParameterGroup;
  /** Whether the optimiser updates it. */
  trainable: boolean;
  /** A parameter of the backbone that an adapter trains, and that counts as the adapter's while it does. */
  adopted?: boolean;
  readonly buffer?: boolean;
  /** Its learning rate, as a multiple of its group's. Default 1. */
  rate?: number | undefined;
  /** A weight for which int8 is too coarse: an engine in int8 multiplies it in int16 while it is frozen. See `chooseInt16`. */
  int16?: boolean;
  value: Tensor;
}

/** Whether the linear map of these parameters is frozen, as `linears` takes it. */
export function frozenAs(weight: Parameter, bias: Parameter): Frozen {
  if (weight.trainable || bias.trainable) return false;
  return weight.int16 ? 'int16' : true;
}

/**
 * The parameters of a model by name, in the order in which they were added. Owns its tensors: `set` frees the
 * tensor that it replaces, `dispose` frees all.
 */
export class Parameters implements Iterable<Parameter> {
  readonly #byName = new Map<string, Parameter>();

  /** Adds a parameter and takes ownership of its tensor. */
  add(parameter: Parameter): void {
    if (this.#byName.has(parameter.name)) throw new Error(`parameter ${parameter.name} exists already`);
    this.#byName.set(parameter.name, parameter);
  }

  /** Whether there is a parameter of this name. */
  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** The value of a parameter, which remains the owner's. */
  get(name: string): Tensor {
    return this.parameter(name).value;
  }

  /** A parameter by name. */
  parameter(name: string): Parameter {
    const match = this.#byName.get(name);
    if (!match) throw new Error(`no parameter ${name}`);
    return match;
  }

  /** Replaces the value of a parameter, and frees the old one. */
  set(name: string, value: Tensor): void {
    const parameter = this.parameter(name);
    if (parameter.value === value) return;
    parameter.value.dispose();
    parameter.value = value;
  }

  /** Removes a parameter, whose value then belongs to the caller. */
  take(name: string): Parameter {
    const parameter = this.parameter(name);
    this.#byName.delete(name);
    return parameter;
  }

  /** The parameters that the optimiser updates. */
  trainable(): Parameter[] {
    return [...this].filter((parameter) => parameter.trainable);
  }

  /** The parameters that a checkpoint must hold: all that training may have changed. */
  changing(): Parameter[] {
    return [...this].filter((parameter) => parameter.trainable || parameter.buffer);
  }

  /** The number of trainable values, of one group or of all. */
  count(group?: ParameterGroup): number {
    return this.trainable()
      .filter((parameter) => group === undefined || parameter.group === group)
      .reduce((sum, parameter) => sum + parameter.value.size, 0);
  }

  /** The parameters, in the order in which they were added. */
  [Symbol.iterator](): Iterator<Parameter> {
    return this.#byName.values();
  }

  /** Frees all values. */
  dispose(): void {
    for (const { value } of this) value.dispose();
    this.#byName.clear();
  }
}
