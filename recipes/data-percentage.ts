// The study of data percentages: adapters × shares of the data × seeds, each trained, scored in and out of domain, and
// put into tables and plots. A finished training is not run again: start the recipe once more to go on, or with more.
//
//   node recipes/data-percentage.js --epochs 5 --random-seed 10,20,30
//   node recipes/data-percentage.js --task classification --image-dir data/breeds --style-dir data/breeds-ood
//   node recipes/data-percentage.js --image-dir data/pets/images --mask-dir data/pets/masks --style-dir data/pets-ood

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  cellPlugins,
  childProcess,
  comparedFlag,
  comparedFlags,
  comparedSettings,
  divergedCells,
  domainArguments,
  domainFlags,
  failIfCellsDiverged,
  grid,
  gridTask,
  inferenceArguments,
  openCell,
  percentageReport,
  readUnless,
  recipe,
  type StudyCell,
  sizeFlags,
  taskGridFlags,
  trainGrid,
  withDashboard,
} from 'millrace/recipe';
import { concat, concatMap, defer, EMPTY } from 'rxjs';
import { z } from 'zod';

const loraType = comparedFlag.default(['lora', 'serial_lora', 'localized_lora']).describe('adapters');
const outputDir = z.string().min(1).default('results/data-percentage').describe('folder of all results');
const sizes = sizeFlags({
  rank: z.int().min(1).default(4).describe('rank of lora and serial_lora'),
  alpha: z.number().gt(0).default(16).describe('scale of lora and localized_lora, as alpha / rank'),
  rBlock: z.int().min(1).default(2).describe('rank of each block of localized_lora'),
  numBlocksPerRow: z
    .int()
    .min(1)
    .default(2)
    .describe('K of localized_lora; as many parameters as lora where rank = K · r_block'),
});

recipe({
  description:
    'Trains adapters on shares of the data over several seeds, and compares them in and out of domain.',
  continues: 'the same command continues the study',
  plugins: (peek) => cellPlugins(peek({ outputDir }).outputDir),
  flags: (peek) => {
    const { Data, Model, Training, Run } = taskGridFlags(peek({ task: gridTask }).task);
    return {
      Study: {
        task: gridTask,
        loraType,
        outputDir,
        styleDir: domainFlags.styleDir,
        style: domainFlags.style,
        published: readUnless(
          z.boolean().default(false).describe("also show upstream's published figures"),
          ({ task }) => (task === 'classification' ? 'upstream published no classification' : undefined),
        ),
      },
      Data: {
        ...Data,
        dataPercentage: z
          .array(z.number().gt(0).max(1))
          .min(1)
          .default([0.25, 0.5, 0.75, 1])
          .describe('shares of the pairs, or of the labelled pictures'),
      },
      Model,
      Adapters: { ...sizes, ...comparedFlags(peek({ loraType }).loraType, Object.keys(sizes)) },
      Training,
      Run,
    };
  },
  run: async ({
    task,
    loraType,
    outputDir,
    dataPercentage,
    randomSeed,
    styleDir,
    style,
    published,
    dashboard,
    ...shared
  }) => {
    const cells: StudyCell[] = [];
    const axes = { type: loraType, share: dataPercentage, seed: randomSeed };
    for (const { type, share, seed } of grid(axes)) {
      const settings = comparedSettings(type, shared, ({ inStudy }, own) => inStudy?.(own) ?? own);
      const cellSettings = { ...settings, dataPercentage: share, randomSeed: seed };
      cells.push(await openCell(outputDir, `${type}_${seed}_${share}`, cellSettings));
    }

    const inference = fileURLToPath(new URL('inference.js', import.meta.url));
    const where = domainArguments({ styleDir, style });
    const compare$ = defer(() => divergedCells(cells)).pipe(
      concatMap((diverged) => {
        const runs = cells.filter((cell) => !diverged.includes(cell)).map(({ run }) => run);
        const divergedNames = diverged.map(({ run }) => run);
        const report$ = defer(async () =>
          process.stdout.write(await percentageReport(outputDir, { task, published, divergedNames })),
        );
        const scored = inferenceArguments(outputDir, runs, shared, ...where);
        return runs.length > 0 ? concat(childProcess(inference, scored), report$) : EMPTY;
      }),
    );
    return concat(
      trainGrid(cells, import.meta.url, task),
      compare$,
      defer(() => failIfCellsDiverged(cells)),
    ).pipe(withDashboard(dashboard, { logs: join(outputDir, 'logs') }));
  },
});
