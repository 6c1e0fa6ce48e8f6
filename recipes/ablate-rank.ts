// The ablation of the rank: adapters × ranks × seeds, each trained and tested, in a table and plots with error bars.
// A finished training is not run again: start the recipe once more to go on, or with more.
//
//   node recipes/ablate-rank.js --rank 2,4,8,16 --random-seed 10,20,30 --epochs 5
//   node recipes/ablate-rank.js --task classification --image-dir data/breeds

import { join } from 'node:path';
import { UserError } from 'millrace';
import {
  type AblationRun,
  adaptersFlag,
  cellPlugins,
  closeAblation,
  comparedFlags,
  comparedSettings,
  grid,
  gridTask,
  openCell,
  recipe,
  type StudyCell,
  taskGridFlags,
  trainGrid,
  withDashboard,
} from 'millrace/recipe';
import { concat, defer } from 'rxjs';
import { z } from 'zod';

const loraType = adaptersFlag.default(['lora', 'localized_lora']).describe('adapters');
const outputDir = z.string().min(1).default('results/ablate-rank').describe('folder of all results');

recipe({
  description: 'Trains adapters of several ranks over several seeds, and compares them.',
  continues: 'the same command continues the study',
  plugins: (peek) => cellPlugins(peek({ outputDir }).outputDir),
  flags: (peek) => ({
    Study: {
      task: gridTask,
      loraType,
      rank: z
        .array(z.int().min(1))
        .min(1)
        .default([2, 4, 8, 16])
        .describe('ranks; of localized_lora, K · r_block'),
      numBlocksPerRow: z.int().min(1).default(2).describe('K of localized_lora, which must divide each rank'),
      scale: z.number().gt(0).default(4).describe('alpha / rank, held constant over ranks'),
      outputDir,
    },
    Adapters: comparedFlags(peek({ loraType }).loraType, ['rank', 'alpha', 'rBlock', 'numBlocksPerRow']),
    ...taskGridFlags(peek({ task: gridTask }).task),
  }),
  run: async ({ task, loraType, rank, scale, outputDir, randomSeed, dashboard, ...shared }) => {
    // Seed by seed, so that what cannot be trained shows early.
    const planned = grid({ seed: randomSeed, type: loraType, r: rank }).map(({ seed, type, r }) => ({
      about: { run: `${type}_r${r}_${seed}`, series: type, place: String(r), seed },
      settings: comparedSettings(type, shared, ({ atRank }, own) => {
        if (!atRank) throw new UserError(`--lora-type: expected adapters whose size is a rank, got ${type}`);
        return { ...own, ...atRank(r, scale, own) };
      }),
    }));
    const cells: (AblationRun & StudyCell)[] = [];
    for (const { about, settings } of planned) {
      const cell = await openCell(outputDir, about.run, { ...settings, randomSeed: about.seed });
      cells.push({ ...about, ...cell });
    }
    const about = { dir: outputDir, title: 'Scores by rank', x: 'Rank', as: 'lines', task } as const;
    return concat(
      trainGrid(cells, import.meta.url, task),
      defer(() => closeAblation(cells, about)),
    ).pipe(withDashboard(dashboard, { logs: join(outputDir, 'logs') }));
  },
});
