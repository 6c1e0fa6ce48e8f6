// Compares adapters, the head alone and all weights: each with as many parameters as the first, or trained for as many
// seconds, over several seeds; a table with intervals, a plot, and in words which differences are real. A finished
// training is not run again: start the recipe once more to go on, or with more.
//
//   node recipes/compare-adapters.js --random-seed 10,20,30 --epochs 5
//   node recipes/compare-adapters.js --tune-lr 3e-4,1e-3,3e-3 --random-seed 10,20,30 --epochs 5
//   node recipes/compare-adapters.js --match seconds --dataset pets.yaml --model-name facebook/deit-tiny-patch16-224

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { useEngine } from 'millrace';
import {
  type ComparedCell,
  cellPlugins,
  childProcess,
  comparedFlag,
  comparedFlags,
  divergedCells,
  engineOf,
  failIfCellsDiverged,
  gridFlags,
  matchedEpochs,
  matchedSettings,
  openAdapterCells,
  openTimingCells,
  openTuningCells,
  ownResolutionArguments,
  readUnless,
  recipe,
  reportAdapters,
  trainGrid,
  tunedRates,
  tuningText,
  withDashboard,
} from 'millrace/recipe';
import { concat, concatMap, defer, EMPTY, of } from 'rxjs';
import { z } from 'zod';

const loraType = comparedFlag
  .default([
    'lora',
    'head',
    'rslora',
    'dora',
    'serial_lora',
    'localized_lora',
    'miss',
    'hira',
    'shira',
    'full',
  ])
  .describe('adapters, head and full; the first is what the others are compared with');
const tuneLr = readUnless(
  z
    .array(z.number().gt(0))
    .min(2)
    .optional()
    .describe(
      'learning rates in place of --lr: each adapter gets the one with the highest validation mIoU of the first seed; default: --lr for all',
    ),
  ({ separateLr }) => (separateLr ? '--separate-lr replaces --lr' : undefined),
);
const outputDir = z.string().min(1).default('results/compare-adapters').describe('folder of all results');
const inference = fileURLToPath(new URL('inference.js', import.meta.url));

recipe({
  description: 'Compares adapters at one number of parameters or of seconds, over several seeds.',
  continues: 'the same command continues the study',
  plugins: (peek) => cellPlugins(peek({ outputDir }).outputDir),
  flags: (peek) => ({
    Study: {
      loraType,
      match: z
        .enum(['parameters', 'seconds'])
        .default('parameters')
        .describe(
          'what all have in common: parameters = as many as LoRA of --rank, and the same epochs; seconds = those, and epochs in proportion to the measured speed',
        ),
      rank: z.int().min(1).default(4).describe('rank of the LoRA whose number of parameters the others get'),
      scale: z.number().gt(0).default(4).describe('alpha / rank, of those that have an alpha'),
      tuneLr,
      outputDir,
    },
    Adapters: comparedFlags(peek({ loraType }).loraType, ['rank', 'alpha', 'rBlock']),
    ...gridFlags,
  }),
  run: async ({ loraType, match, rank, scale, tuneLr, outputDir, randomSeed, dashboard, ...shared }) => {
    const dir = join(outputDir, match);
    await useEngine(...engineOf(shared));
    const settings = await matchedSettings([...new Set(loraType)], shared, { rank, scale });
    const title = `Adapters, matched in ${match}`;

    const compare = (cells: readonly ComparedCell[], tuning: readonly ComparedCell[]) =>
      defer(() => divergedCells(cells)).pipe(
        concatMap((diverged) => {
          const runs = cells.filter((cell) => !diverged.includes(cell)).map(({ run }) => run);
          if (runs.length === 0) return EMPTY;
          const report$ = defer(async () => {
            const rates = tuning.length > 0 ? await tuningText(tuning) : '';
            const text = await reportAdapters(dir, cells, title, rates);
            process.stdout.write(
              `${text}\nwrote ${dir}: tables.md, miou-by-parameters.png and .svg, scores\n`,
            );
          });
          return concat(childProcess(inference, ownResolutionArguments(dir, runs, shared)), report$);
        }),
      );
    /** Opens cells and trains them; emits them once. */
    const train = (open: () => Promise<ComparedCell[]>) =>
      defer(open).pipe(
        concatMap((cells) => concat(cells.length > 0 ? trainGrid(cells, import.meta.url) : EMPTY, of(cells))),
      );
    const [firstSeed] = randomSeed as [number];
    const tried = shared.separateLr ? [] : (tuneLr ?? []);
    return train(async () => (match === 'seconds' ? openTimingCells(dir, settings, firstSeed) : [])).pipe(
      concatMap((timing) => matchedEpochs(shared.epochs, loraType, timing)),
      concatMap((epochs) =>
        train(() => openTuningCells(dir, settings, firstSeed, epochs, tried)).pipe(
          concatMap(async (tuning) => [tuning, await tunedRates(tuning)] as const),
          concatMap(([tuning, rates]) =>
            train(() => openAdapterCells(dir, settings, randomSeed, epochs, rates)).pipe(
              concatMap((cells) =>
                concat(
                  compare(cells, tuning),
                  defer(() => failIfCellsDiverged(cells)),
                ),
              ),
            ),
          ),
        ),
      ),
      withDashboard(dashboard, { logs: join(dir, 'logs') }),
    );
  },
});
