import type { Tensor } from '@tensorflow/tfjs-core';
import { add, relu } from '../../base/tfjs-core.js';
import { conv3x3 } from '../../engine/ops/conv3x3.js';
import { layerNorm } from '../../engine/ops/layer-norm.js';
import { linear } from '../../engine/ops/linear.js';
import type { HeadParameter, HeadPass } from './head.js';

/** A head's module by name: its parameters, under PyTorch's names in a module of the same name, and its function. */
export interface Layer {
  readonly parameters: readonly HeadParameter[];
  run(x: Tensor, pass: HeadPass): Tensor;
}

/** The parameters of a head's layers, in their order; a place may hold several layers. */
export function parametersOfLayers(
  layers: Readonly<Record<string, HeadParameters | readonly HeadParameters[]>>,
): HeadParameter[] {
  return Object.values(layers)
    .flat()
    .flatMap(({ parameters }) => parameters);
}

type HeadParameters = Pick<Layer, 'parameters'>;

const EPSILON = 1e-6;

/** A 1×1 convolution; weight and bias start uniform in ±1/√inputs, as PyTorch's do. */
export function conv1(name: string, inputs: number, outputs: number): Layer {
  return {
    parameters: weights(name, { shape: [inputs, outputs], kernel: [outputs, inputs, 1, 1], inputs }),
    run: (x, { get }) => linear(x, get(`${name}.weight`), get(`${name}.bias`)),
  };
}

/** A 3×3 convolution with zero padding of one; starts as `conv1` does, with nine times the inputs. */
export function conv3(name: string, inputs: number, outputs: number): Layer {
  const shape = [9 * inputs, outputs];
  return {
    parameters: weights(name, { shape, kernel: [outputs, inputs, 3, 3], inputs: 9 * inputs }),
    run: (x, { get }) => conv3x3(x, get(`${name}.weight`), get(`${name}.bias`)),
  };
}

/** LayerNorm over the channels of each place, as in ConvNeXt (Liu et al. 2022, arXiv:2201.03545): needs no running statistics. */
export function norm(name: string, size: number): Layer {
  return {
    parameters: [
      { name: `${name}.weight`, shape: [size], init: { value: 1 } },
      { name: `${name}.bias`, shape: [size], init: { value: 0 } },
    ],
    run: (x, { get }) => layerNorm(x, get(`${name}.weight`), get(`${name}.bias`), EPSILON),
  };
}

/** x + conv3×3(ReLU(norm(x))), as in He et al. 2016 (arXiv:1603.05027). */
export function residual(name: string, size: number): Layer {
  const [normal, conv] = [norm(`${name}.norm`, size), conv3(`${name}.conv`, size, size)];
  return {
    parameters: [...normal.parameters, ...conv.parameters],
    run: (x, pass) => add(x, conv.run(relu(normal.run(x, pass)), pass)),
  };
}

function weights(
  name: string,
  { shape, kernel, inputs }: { readonly shape: number[]; readonly kernel: number[]; readonly inputs: number },
): HeadParameter[] {
  const init = { bound: 1 / Math.sqrt(inputs) };
  return [
    { name: `${name}.weight`, shape, init, torch: { shape: kernel } },
    { name: `${name}.bias`, shape: [shape[1]!], init },
  ];
}
