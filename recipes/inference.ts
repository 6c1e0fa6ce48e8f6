// Scores trained models, of either task, in and out of domain: each checkpoint on the test split of its own run, and on
// every style.
//
//   node recipes/inference.js
//   node recipes/inference.js --resolution own --tta-flip --tta-scales 0.75,1,1.25
//   node recipes/inference.js --style-dir data/pets-ood --lora-type lora,localized_lora --random-seed 10,20,30

import {
  type Classifier,
  memoryCache,
  type Pretrained,
  readPretrained,
  type Segmenter,
  useEngine,
} from 'millrace';
import {
  adapterCheckFlags,
  adapterPathsFlag,
  type CountedDomain,
  checkpointFlags,
  domainFlags,
  eachDomain,
  engineOf,
  evaluateTrained,
  failIfUnscored,
  openOutput,
  overwriteFlag,
  PICTURES_FILE,
  plainText,
  plannedRuns,
  recipe,
  resolutionFlags,
  SCORE_FILES,
  type ScoreRow,
  scoredRun,
  scoreLine,
  scoreTable,
  scoringFlags,
  type TestDomain,
  type TrainedRun,
  writePictures,
  writeScores,
} from 'millrace/recipe';
import { concatMap, map, type Observable, tap, toArray } from 'rxjs';
import { z } from 'zod';

recipe({
  description:
    'Scores trained models in and out of domain: one row per checkpoint and domain, and means over runs.',
  flags: {
    Checkpoints: { ...checkpointFlags, adapter: adapterPathsFlag, ...adapterCheckFlags },
    Domains: domainFlags,
    Scoring: {
      outputDir: z
        .string()
        .min(1)
        .default('results/inference')
        .describe('folder of individual and aggregated .json and .csv files'),
      overwrite: overwriteFlag,
      ...scoringFlags,
      ...resolutionFlags,
    },
  },
  run: async (config) => {
    openOutput(config.outputDir, [...SCORE_FILES, PICTURES_FILE], config);
    const counted: CountedDomain[] = [];
    const planned = await plannedRuns(config);
    const engine = await useEngine(...engineOf(config));
    const cache = memoryCache();
    const backbones = new Map<string, Promise<Pretrained>>();
    const backbone = (name: string) => {
      const read = backbones.get(name) ?? readPretrained(name);
      backbones.set(name, read);
      return read;
    };

    type Model = Segmenter | Classifier;
    const score = (model: Model, run: TrainedRun, domain: TestDomain): Observable<ScoreRow> => {
      const { classNames } = run.settings;
      const { batchSize = run.settings.batchSize } = config;
      return evaluateTrained(model, run, domain.items, { ...config, batchSize, cache }).pipe(
        tap(({ pictures }) => {
          const { domain: where, style } = domain;
          if (pictures) counted.push({ run: run.name, domain: where, style, classNames, pictures });
        }),
        map(({ test, images }) => ({ ...scoredRun(model, run, domain, engine), images, test })),
      );
    };

    return eachDomain(planned, score, backbone).pipe(
      tap((row) => process.stderr.write(scoreLine(row))),
      toArray(),
      concatMap(async (rows) => {
        const files = [
          ...(await writeScores(config.outputDir, rows)),
          ...(await writePictures(config.outputDir, counted)),
        ];
        process.stdout.write(`${plainText(scoreTable(rows))}wrote ${files.join(', ')}\n`);
        failIfUnscored(rows);
      }),
    );
  },
});
