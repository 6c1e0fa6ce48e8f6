import { gridOf, leadingPositions, type VitConfig } from './config.js';

/** Name and shape of every tensor of a backbone, in PyTorch's layout. */
export function backboneShapes(config: VitConfig): Map<string, number[]> {
  const { hidden_size: d, intermediate_size: wide, patch_size: patch } = config;
  const { rows, columns } = gridOf(config);
  const leading = leadingPositions(config);
  const shapes = new Map<string, number[]>();
  if (leading > 0) shapes.set('cls', [1, 1, d]);
  if (!config.rope_theta) shapes.set('positions', [1, leading + rows * columns, d]);
  shapes.set('patch.weight', [d, config.num_channels, patch, patch]).set('patch.bias', [d]);
  const registers = config.num_register_tokens ?? 0;
  if (registers > 0) shapes.set('registers', [1, registers, d]);
  const add = (name: string, out: number, from?: number) => {
    shapes.set(`${name}.weight`, from ? [out, from] : [out]);
    shapes.set(`${name}.bias`, [out]);
  };
  if (config.pre_norm) add('prenorm', d);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    for (const name of ['norm1', 'norm2']) add(`layers.${layer}.${name}`, d);
    for (const name of ['query', 'key', 'value', 'output']) add(`layers.${layer}.${name}`, d, d);
    if (config.use_gated_mlp) add(`layers.${layer}.gate`, wide, d);
    add(`layers.${layer}.fc1`, wide, d);
    add(`layers.${layer}.fc2`, d, wide);
  }
  add('norm', d);
  return shapes;
}
