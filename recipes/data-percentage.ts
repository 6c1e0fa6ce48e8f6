// The study of data percentages: adapters × shares of the data × seeds, each trained, scored in and out of domain, and
// put into tables and plots. A finished training is not run again: start the recipe once more to go on, or with more.
//
//   node recipes/data-percentage.js --epochs 5 --random-seed 10,20,30
//   node recipes/data-percentage.js --image-dir data/pets/images --mask-dir data/pets/masks --style-dir data/pets-ood

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type AggregatedScores,
  childProcess,
  comparedScores,
  comparisonTable,
  dataFlags,
  divergedCells,
  domainFlags,
  failIfCellsDiverged,
  fixture,
  groupComparison,
  lineComparison,
  markdownText,
  modelFlags,
  openCell,
  percentText,
  publishedScores,
  recipe,
  runFlags,
  type StudyCell,
  trainCell,
  trainingFlags,
  writeFileAtomic,
  writePlot,
} from 'millrace';
import { concat, concatMap, defer, EMPTY, from } from 'rxjs';
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
  description:
    'Trains adapters on shares of the data over several seeds, and compares them in and out of domain.',
  flags: {
    Study: {
      loraType: z.array(z.enum(ADAPTERS)).min(1).default(ADAPTERS).describe('adapters'),
      outputDir: z.string().min(1).default('results/data-percentage').describe('gets all that it writes'),
      styleDir: domainFlags.styleDir,
      style: domainFlags.style,
      published: z.boolean().default(false).describe("show the figures that upstream's study published, too"),
    },
    Data: {
      ...dataFlags,
      dataPercentage: z
        .array(z.number().gt(0).max(1))
        .min(1)
        .default([0.25, 0.5, 0.75, 1])
        .describe('shares of the pairs'),
      randomSeed: z.array(z.int().min(0)).min(1).default([10, 20, 30, 42, 123]).describe('seeds, a run each'),
    },
    Model: { modelName, imageSize, batchNorm, headDropout },
    Adapters: {
      rank: z.int().min(1).default(4).describe('of lora and serial_lora'),
      alpha: z.number().gt(0).default(16).describe('scales lora and localized_lora by alpha / their rank'),
      rBlock: z.int().min(1).default(2).describe('rank of each block of localized_lora'),
      numBlocksPerRow: z.int().min(1).default(2).describe('K: as large as lora where rank = K · r_block'),
    },
    Training: trainingFlags,
    Run: { engine, precision, threads, cache, cacheDir },
  },
  run: async ({ loraType, outputDir, dataPercentage, randomSeed, styleDir, style, published, ...shared }) => {
    const { rank, alpha, rBlock, numBlocksPerRow, ...settings } = shared;
    const sizes = {
      lora: { rank, alpha },
      serial_lora: { rank, alpha: rank },
      localized_lora: { rBlock, numBlocksPerRow, alpha },
    };
    const cells: (StudyCell & { readonly type: keyof typeof TRAININGS })[] = [];
    for (const type of new Set(loraType))
      for (const share of new Set(dataPercentage))
        for (const seed of new Set(randomSeed)) {
          const own = {
            ...settings,
            ...sizes[type],
            loraType: type,
            dataPercentage: share,
            randomSeed: seed,
          };
          cells.push({ type, ...(await openCell(outputDir, `${type}_${seed}_${share}`, own)) });
        }
    const left = cells.filter(({ finished }) => !finished);
    process.stderr.write(`${cells.length} runs, ${left.length} to be trained\n`);

    const styled = styleDir !== undefined || shared.imageDir === fixture('creatures', 'plain', 'images');
    const train$ = from(left).pipe(concatMap((cell) => trainCell(beside(TRAININGS[cell.type]), cell)));
    const score = (runs: readonly string[]) =>
      childProcess(beside('inference'), [
        `--model-dir=${join(outputDir, 'models')}`,
        `--run-name=${runs.join()}`,
        `--output-dir=${outputDir}`,
        '--overwrite',
        `--test-domains=in_domain${styled ? ',out_domain' : ''}`,
        `--engine=${shared.engine}`,
        ...(shared.precision ? [`--precision=${shared.precision}`] : []),
        ...(shared.threads ? [`--threads=${shared.threads}`] : []),
        ...(styleDir === undefined ? [] : [`--style-dir=${styleDir}`]),
        ...(style.length > 0 ? [`--style=${style.join()}`] : []),
      ]);
    const compare$ = defer(() => divergedCells(cells)).pipe(
      concatMap((diverged) => {
        const runs = cells.filter((cell) => !diverged.includes(cell)).map(({ run }) => run);
        const lost = diverged.map(({ run }) => run);
        const report$ = defer(async () => process.stdout.write(await report(outputDir, published, lost)));
        return runs.length > 0 ? concat(score(runs), report$) : EMPTY;
      }),
    );
    return concat(
      train$,
      compare$,
      defer(() => failIfCellsDiverged(cells)),
    );
  },
});

/** The file of another recipe. */
function beside(name: string): string {
  return fileURLToPath(new URL(`${name}.js`, import.meta.url));
}

/** Draws the plots and writes the tables of what inference has left in `dir`; returns the tables. */
async function report(dir: string, published: boolean, lost: readonly string[]): Promise<string> {
  const rows = JSON.parse(await readFile(join(dir, 'aggregated.json'), 'utf8')) as AggregatedScores[];
  const most = Math.max(...rows.map((row) => row.dataPercentage));
  const seeds = Math.max(...rows.map((row) => row.seeds.length));
  const inside = rows.filter(({ domain }) => domain === 'in_domain');
  const outside = rows.filter((row) => row.domain === 'out_domain' && row.dataPercentage === most);
  const over = seeds > 1 ? `mean ± population standard deviation over ${seeds} seeds` : 'one seed';
  const byShare = [...comparedScores(inside, 'softDice'), ...(published ? publishedScores('inDomain') : [])];
  const byStyle = [
    ...comparedScores(outside, 'softDice'),
    ...(published ? publishedScores('outOfDomain') : []),
  ];

  const soft = { subtitle: over, y: 'Soft Dice' };
  const lines = lineComparison({ ...soft, title: 'In domain', x: 'Share of the data (%)' }, byShare);
  await writePlot(join(dir, 'dice-by-percentage'), lines);
  if (outside.length > 0) {
    const title = `Out of domain, trained on ${percentText(most)}`;
    await writePlot(join(dir, 'dice-by-style'), groupComparison({ ...soft, title, x: 'Style' }, byStyle));
  }
  const left = lost.length > 0 ? `Left out, since they diverged: ${lost.join(', ')}\n\n` : '';
  const tables = {
    'Soft Dice by share of the data, test split': byShare,
    'mIoU by share of the data, test split': comparedScores(inside, 'miou'),
    [`Soft Dice by style, trained on ${percentText(most)}`]: outside.length > 0 ? byStyle : [],
    [`mIoU by style, trained on ${percentText(most)}`]: comparedScores(outside, 'miou'),
  };
  const text = Object.entries(tables)
    .filter(([, scores]) => scores.length > 0)
    .map(([title, scores]) => `## ${title}\n\n${over}\n\n${left}${markdownText(comparisonTable(scores))}`)
    .join('\n');
  await writeFileAtomic(join(dir, 'tables.md'), text);
  return `${text}\nwrote ${dir}: tables.md, dice-by-*.png and .svg, individual and aggregated .csv and .json\n`;
}
