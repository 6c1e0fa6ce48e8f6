// The ablation of what trains: the head alone on a frozen backbone, adapters, or all weights, over several seeds and
// shares of the data, in a table and plots with error bars. A finished training is not run again.
//
//   node recipes/ablate-frozen.js --random-seed 10,20,30 --epochs 5
//   node recipes/ablate-frozen.js --task classification --image-dir data/breeds

import { join } from 'node:path';
import { adapters } from 'millrace';
import {
  type AblationRun,
  cellPlugins,
  closeAblation,
  comparedFlags,
  comparedSettings,
  grid,
  gridTask,
  nameIn,
  openCell,
  percentText,
  recipe,
  type StudyCell,
  taskGridFlags,
  trainGrid,
  withDashboard,
} from 'millrace/recipe';
import { concat, defer } from 'rxjs';
import { z } from 'zod';

const loraType = nameIn(adapters)
  .default('lora')
  .describe('the adapter of mode adapters, with its default size');
const outputDir = z.string().min(1).default('results/ablate-frozen').describe('folder of all results');

recipe({
  description: 'Trains the head alone, adapters, and all weights over several seeds, and compares them.',
  continues: 'the same command continues the study',
  plugins: (peek) => cellPlugins(peek({ outputDir }).outputDir),
  flags: (peek) => {
    const { Data, Model, Training, Run } = taskGridFlags(peek({ task: gridTask }).task);
    return {
      Study: {
        task: gridTask,
        mode: z
          .array(z.enum(['head', 'adapters', 'full']))
          .min(1)
          .default(['head', 'adapters', 'full'])
          .describe('trainable parameters: head = frozen backbone, full = all weights without adapter'),
        loraType,
        outputDir,
      },
      Data: {
        ...Data,
        dataPercentage: z
          .array(z.number().gt(0).max(1))
          .min(1)
          .default([0.25, 1])
          .describe('shares of the pairs'),
      },
      Model,
      Adapter: comparedFlags([peek({ loraType }).loraType], []),
      Training,
      Run,
    };
  },
  run: async ({ task, mode, loraType, outputDir, dataPercentage, randomSeed, dashboard, ...shared }) => {
    const cells: (AblationRun & StudyCell)[] = [];
    for (const { seed, what, share } of grid({ seed: randomSeed, what: mode, share: dataPercentage })) {
      const series = what === 'adapters' ? loraType : what;
      const cell = await openCell(outputDir, `${series}_${seed}_${share}`, {
        ...comparedSettings(series, shared),
        mode: what,
        loraType,
        dataPercentage: share,
        randomSeed: seed,
      });
      cells.push({ ...cell, series, place: percentText(share), seed });
    }
    const about = {
      dir: outputDir,
      title: 'Scores by what trains',
      x: 'Share of the data',
      as: 'bars',
      task,
    } as const;
    return concat(
      trainGrid(cells, import.meta.url, task),
      defer(() => closeAblation(cells, about)),
    ).pipe(withDashboard(dashboard, { logs: join(outputDir, 'logs') }));
  },
});
