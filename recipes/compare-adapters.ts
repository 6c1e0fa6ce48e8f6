// Compares adapters, the head alone and all weights, matched in parameters or in seconds, over several seeds: a table
// with intervals, a plot, and in words which differences are real. Start it once more to go on, or with more.
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
  inferenceArguments,
  matchedEpochs,
  matchedSettings,
  openAdapterCells,
  openTimingCells,
  openTuningCells,
  recipe,
  reportAdapters,
  trainGrid,
  tunedRates,
  tuneLrFlag,
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
const outputDir = z.string().min(1).default('results/compare-adapters').describe('folder of all results');
const ownResolution = ['--test-domains=in_domain', '--resolution=own'];
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
      tuneLr: tuneLrFlag,
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

    const train = (open: () => Promise<ComparedCell[]>) =>
      defer(open).pipe(concatMap((cells) => concat(trainGrid(cells, import.meta.url), of(cells))));
    const report = async (cells: readonly ComparedCell[], tuning: readonly ComparedCell[]) => {
      const text = await reportAdapters(dir, cells, title, await tuningText(tuning));
      process.stdout.write(`${text}\nwrote ${dir}: tables.md, miou-by-parameters.png and .svg, scores\n`);
    };
    const compare = (cells: readonly ComparedCell[], tuning: readonly ComparedCell[]) =>
      defer(() => divergedCells(cells)).pipe(
        concatMap((diverged) => {
          const runs = cells.filter((cell) => !diverged.includes(cell)).map(({ run }) => run);
          const scored = inferenceArguments(dir, runs, shared, ...ownResolution);
          const report$ = defer(() => report(cells, tuning));
          return runs.length > 0 ? concat(childProcess(inference, scored), report$) : EMPTY;
        }),
      );
    const [firstSeed] = randomSeed as [number];
    const tried = shared.separateLr ? [] : tuneLr;
    const study = (epochs: ReadonlyMap<string, number>) =>
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
      );
    return train(async () => (match === 'seconds' ? openTimingCells(dir, settings, firstSeed) : [])).pipe(
      concatMap((timing) => matchedEpochs(shared.epochs, loraType, timing)),
      concatMap(study),
      withDashboard(dashboard, { logs: join(dir, 'logs') }),
    );
  },
});
