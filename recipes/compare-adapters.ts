// Compares adapters, the head alone and all weights, matched in parameters or in seconds, over several seeds: a table
// with intervals, a plot, and in words which differences are real. Start it once more to go on, or with more.
//
//   node recipes/compare-adapters.js --random-seed 10,20,30 --epochs 5
//   node recipes/compare-adapters.js --tune-lr 3e-4,1e-3,3e-3 --random-seed 10,20,30 --epochs 5
//   node recipes/compare-adapters.js --match seconds --dataset pets.yaml --model-name facebook/deit-tiny-patch16-224
//   node recipes/compare-adapters.js --dataset nuclei.yaml --style-dir data/nuclei --style stained

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { useEngine } from 'millrace';
import {
  type ComparedCell,
  cellPlugins,
  childProcess,
  comparedFlags,
  comparisonFlags,
  divergedCells,
  domainArguments,
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
  tuningText,
  withDashboard,
} from 'millrace/recipe';
import { concat, concatMap, defer, EMPTY, of } from 'rxjs';

const inference = fileURLToPath(new URL('inference.js', import.meta.url));

recipe({
  description: 'Compares adapters at one number of parameters or of seconds, over several seeds.',
  continues: 'the same command continues the study',
  plugins: (peek) => cellPlugins(peek(comparisonFlags).outputDir),
  flags: (peek) => ({
    Study: comparisonFlags,
    Adapters: comparedFlags(peek(comparisonFlags).loraType, ['rank', 'alpha', 'rBlock']),
    ...gridFlags,
  }),
  run: async ({
    loraType,
    match,
    rank,
    scale,
    tuneLr,
    outputDir,
    styleDir,
    style,
    randomSeed,
    dashboard,
    ...shared
  }) => {
    const dir = join(outputDir, match);
    await useEngine(...engineOf(shared));
    const settings = await matchedSettings([...new Set(loraType)], shared, { rank, scale });
    const domains =
      styleDir === undefined ? ['--test-domains=in_domain'] : domainArguments({ styleDir, style });
    const where = [...domains, '--resolution=own'];
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
          const scored = inferenceArguments(dir, runs, shared, ...where);
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
