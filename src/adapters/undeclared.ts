import { z } from 'zod';
import { type AdapterKind, placeFlags } from './adapter-kind.js';

/** What holds for an adapter that was registered as a function alone: it takes what it knows of the usual flags. */
export function undeclared(name: string): AdapterKind {
  const flags = {
    rank: z.int().min(1).optional().describe('its rank'),
    rBlock: z.int().min(1).optional().describe('rank of its blocks'),
    numBlocksPerRow: z.int().min(1).optional().describe('number of its blocks along a side of a weight'),
    ...placeFlags,
    alpha: z.number().gt(0).optional().describe('its scale'),
    targets: placeFlags.targets.unwrap().optional().describe('the linear maps of a block that are adapted'),
  };
  return {
    description: `with ${name}`,
    flags,
    settings: ({ rBlock, numBlocksPerRow, adapterDropout, ...others }) => ({
      ...others,
      blockRank: rBlock,
      blocks: numBlocksPerRow,
      dropout: adapterDropout,
    }),
  };
}
