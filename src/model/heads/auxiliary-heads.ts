import { upsample } from '../../engine/ops/upsample.js';
import type { Head, HeadOptions } from './head.js';
import { conv1, parametersOfLayers } from './layers.js';
import { quarters } from './levels.js';

/** The last block of each quarter but the last one, whose features the head itself reads. */
const blocksBelow = (depth: number): number[] => quarters(depth).slice(0, -1);

/**
 * A head with three auxiliary ones, which only training asks for: a 1×1 convolution on the features at the end of each
 * earlier quarter of the ViT says the classes, too, so that the loss reaches these blocks directly (deep supervision, Lee
 * et al. 2015, arXiv:1409.5185; as the auxiliary head of PSPNet, Zhao et al. 2017, arXiv:1612.01105).
 *
 * What the model says is the head's alone; an export leaves the auxiliary heads out.
 */
export function auxiliaryHeads(head: Head, { classes }: HeadOptions): Head {
  const layersOf = (hidden: number) => [0, 1, 2].map((i) => conv1(`auxiliary.${i}`, hidden, classes));
  return {
    ...(head.readsImages && { readsImages: true }),
    ...(head.saysQueries && { saysQueries: true }),
    parameters: (hidden, site) => [
      ...head.parameters(hidden, site),
      ...parametersOfLayers({ auxiliary: layersOf(hidden) }),
    ],
    levels: (depth) => [...(head.levels?.(depth) ?? []), ...blocksBelow(depth)],
    forward: (grid, pass) => {
      const [own, below] = [pass.levels.slice(0, -3), pass.levels.slice(-3)];
      if (pass.auxiliary)
        for (const [i, layer] of layersOf(grid.shape[3]!).entries())
          pass.auxiliary(upsample(layer.run(below[i]!, pass), pass.patch));
      return head.forward(grid, { ...pass, levels: own });
    },
  };
}
