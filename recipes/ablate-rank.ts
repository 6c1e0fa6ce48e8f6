// The ablation of the rank: adapters × ranks × seeds, each trained and tested, in a table and plots with error bars.
// A finished training is not run again: start the recipe once more to go on, or with more.
//
//   node recipes/ablate-rank.js --rank 2,4,8,16 --random-seed 10,20,30 --epochs 5

import { UserError } from 'millrace';
import {
  type AblationRun,
  closeAblation,
  GRID_ADAPTERS,
  type GridCell,
  grid,
  gridFlags,
  openCell,
  recipe,
  trainGrid,
} from 'millrace/recipe';
import { concat, defer } from 'rxjs';
import { z } from 'zod';

recipe({
  description: 'Trains adapters of several ranks over several seeds, and compares them.',
  flags: {
    Study: {
      loraType: z
        .array(z.enum(GRID_ADAPTERS))
        .min(1)
        .default(['lora', 'localized_lora'])
        .describe('adapters'),
      rank: z
        .array(z.int().min(1))
        .min(1)
        .default([2, 4, 8, 16])
        .describe('ranks; of localized_lora, K · r_block'),
      numBlocksPerRow: z.int().min(1).default(2).describe('K of localized_lora, which must divide each rank'),
      scale: z.number().gt(0).default(4).describe('alpha / rank, held constant over ranks'),
      outputDir: z.string().min(1).default('results/ablate-rank').describe('folder of all results'),
    },
    ...gridFlags,
  },
  run: async ({ loraType, rank, numBlocksPerRow, scale, outputDir, randomSeed, ...settings }) => {
    const uneven = rank.find((r) => r % numBlocksPerRow !== 0);
    if (uneven !== undefined && loraType.includes('localized_lora'))
      throw new UserError(
        `--rank: expected multiples of --num-blocks-per-row ${numBlocksPerRow}, got ${uneven}`,
      );
    const cells: (AblationRun & GridCell)[] = [];
    // Seed by seed, so that what cannot be trained shows early.
    for (const { seed, type, r } of grid({ seed: randomSeed, type: loraType, r: rank })) {
      const rBlock = r / numBlocksPerRow;
      // The weight of a block's change is alpha / r_block.
      const size =
        type === 'localized_lora'
          ? { rBlock, numBlocksPerRow, alpha: scale * rBlock }
          : { rank: r, alpha: scale * r };
      const cellSettings = { ...settings, ...size, loraType: type, randomSeed: seed };
      const cell = await openCell(outputDir, `${type}_r${r}_${seed}`, cellSettings);
      cells.push({ ...cell, type, series: type, place: String(r), seed });
    }
    const about = { dir: outputDir, title: 'Scores by rank', x: 'Rank', as: 'lines' } as const;
    return concat(
      trainGrid(cells, import.meta.url),
      defer(() => closeAblation(cells, about)),
    );
  },
});
