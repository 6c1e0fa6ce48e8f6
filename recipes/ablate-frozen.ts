// The ablation of what trains: the head alone on a frozen backbone, adapters, or all weights, over several seeds and
// shares of the data, in a table and plots with error bars. A finished training is not run again.
//
//   node recipes/ablate-frozen.js --random-seed 10,20,30 --epochs 5

import { fileURLToPath } from 'node:url';
import {
  type AblationRun,
  dataFlags,
  failIfCellsDiverged,
  modelFlags,
  openCell,
  percentText,
  recipe,
  reportAblation,
  runFlags,
  type StudyCell,
  trainCell,
  trainingFlags,
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
  description: 'Trains the head alone, adapters, and all weights over several seeds, and compares them.',
  flags: {
    Study: {
      mode: z
        .array(z.enum(['head', 'adapters', 'full']))
        .min(1)
        .default(['head', 'adapters', 'full'])
        .describe('what trains: head = frozen backbone, full = all weights without adapter'),
      loraType: z
        .enum(ADAPTERS)
        .default('lora')
        .describe('the adapter of mode adapters, with its default size'),
      outputDir: z.string().min(1).default('results/ablate-frozen').describe('gets all that it writes'),
    },
    Data: {
      ...dataFlags,
      dataPercentage: z
        .array(z.number().gt(0).max(1))
        .min(1)
        .default([0.25, 1])
        .describe('shares of the pairs'),
      randomSeed: z.array(z.int().min(0)).min(1).default([10, 20, 30, 42, 123]).describe('seeds, a run each'),
    },
    Model: { modelName, imageSize, batchNorm, headDropout },
    Training: trainingFlags,
    Run: { engine, precision, threads, cache, cacheDir },
  },
  run: async ({ mode, loraType, outputDir, dataPercentage, randomSeed, ...settings }) => {
    const cells: (AblationRun & StudyCell)[] = [];
    for (const seed of new Set(randomSeed))
      for (const what of new Set(mode))
        for (const share of new Set(dataPercentage)) {
          const own = { ...settings, mode: what, loraType, dataPercentage: share, randomSeed: seed };
          const series = what === 'adapters' ? loraType : what;
          const cell = await openCell(outputDir, `${series}_${seed}_${share}`, own);
          cells.push({ ...cell, series, place: percentText(share), seed });
        }
    const left = cells.filter(({ finished }) => !finished);
    process.stderr.write(`${cells.length} runs, ${left.length} to be trained\n`);
    const file = fileURLToPath(new URL(`${TRAININGS[loraType]}.js`, import.meta.url));
    const train$ = from(left).pipe(concatMap((cell) => trainCell(file, cell)));
    const report$ = defer(async () => {
      const about = {
        dir: outputDir,
        title: 'Scores by what trains',
        x: 'Share of the data',
        as: 'bars',
      } as const;
      const text = await reportAblation(cells, about);
      process.stdout.write(
        `${text}\nwrote ${outputDir}: tables.md, runs.csv, dice and miou as .png and .svg\n`,
      );
      await failIfCellsDiverged(cells);
    });
    return concat(train$, report$);
  },
});
