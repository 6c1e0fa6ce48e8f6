// The ablation of the rank: adapters × ranks × seeds, each trained and tested, in a table and plots with error bars.
// A finished training is not run again: start the recipe once more to go on, or with more.
//
//   node recipes/ablate-rank.js --rank 2,4,8,16 --random-seed 10,20,30 --epochs 5

import { fileURLToPath } from 'node:url';
import {
  type AblationRun,
  dataFlags,
  failIfCellsDiverged,
  modelFlags,
  openCell,
  recipe,
  reportAblation,
  runFlags,
  type StudyCell,
  trainCell,
  trainingFlags,
  UserError,
} from 'millrace';
import { concat, concatMap, defer, from } from 'rxjs';
import { z } from 'zod';

const TRAININGS = {
  lora: 'train-lora',
  serial_lora: 'train-serial',
  localized_lora: 'train-localized',
} as const;
const ADAPTERS = Object.keys(TRAININGS) as (keyof typeof TRAININGS)[];
const { engine, precision, threads, cache, cacheDir } = runFlags;
const { modelName, imageSize, batchNorm, headDropout } = modelFlags;

recipe({
  description: 'Trains adapters of several ranks over several seeds, and compares them.',
  flags: {
    Study: {
      loraType: z.array(z.enum(ADAPTERS)).min(1).default(['lora', 'localized_lora']).describe('adapters'),
      rank: z
        .array(z.int().min(1))
        .min(1)
        .default([2, 4, 8, 16])
        .describe('ranks; localized_lora has K · r_block'),
      numBlocksPerRow: z.int().min(1).default(2).describe('K of localized_lora, which must divide each rank'),
      scale: z
        .number()
        .gt(0)
        .default(4)
        .describe('alpha / rank, the same for all ranks, so that only the rank differs'),
      outputDir: z.string().min(1).default('results/ablate-rank').describe('gets all that it writes'),
    },
    Data: {
      ...dataFlags,
      randomSeed: z.array(z.int().min(0)).min(1).default([10, 20, 30, 42, 123]).describe('seeds, a run each'),
    },
    Model: { modelName, imageSize, batchNorm, headDropout },
    Training: trainingFlags,
    Run: { engine, precision, threads, cache, cacheDir },
  },
  run: async ({ loraType, rank, numBlocksPerRow, scale, outputDir, randomSeed, ...settings }) => {
    const odd = rank.find((r) => r % numBlocksPerRow !== 0);
    if (odd !== undefined && loraType.includes('localized_lora'))
      throw new UserError(
        `--rank: expected multiples of --num-blocks-per-row ${numBlocksPerRow}, got ${odd}`,
      );
    const cells: (AblationRun & StudyCell & { readonly type: keyof typeof TRAININGS })[] = [];
    // Seed by seed, so that what cannot be trained shows early.
    for (const seed of new Set(randomSeed))
      for (const type of new Set(loraType))
        for (const r of new Set(rank)) {
          const rBlock = r / numBlocksPerRow;
          // The weight of a block's change is alpha / r_block.
          const size =
            type === 'localized_lora'
              ? { rBlock, numBlocksPerRow, alpha: scale * rBlock }
              : { rank: r, alpha: scale * r };
          const own = { ...settings, ...size, loraType: type, randomSeed: seed };
          const cell = await openCell(outputDir, `${type}_r${r}_${seed}`, own);
          cells.push({ ...cell, type, series: type, place: String(r), seed });
        }
    const left = cells.filter(({ finished }) => !finished);
    process.stderr.write(`${cells.length} runs, ${left.length} to be trained\n`);
    const train$ = from(left).pipe(
      concatMap((cell) => {
        const file = fileURLToPath(new URL(`${TRAININGS[cell.type]}.js`, import.meta.url));
        return trainCell(file, cell);
      }),
    );
    const report$ = defer(async () => {
      const about = { dir: outputDir, title: 'Scores by rank', x: 'Rank', as: 'lines' } as const;
      const text = await reportAblation(cells, about);
      process.stdout.write(
        `${text}\nwrote ${outputDir}: tables.md, runs.csv, dice and miou as .png and .svg\n`,
      );
      await failIfCellsDiverged(cells);
    });
    return concat(train$, report$);
  },
});
