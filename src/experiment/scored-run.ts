import { UserError } from '../base/errors.js';
import type { Engine } from '../engine/engine.js';
import { areNumbers } from '../loggers/summary.js';
import type { Classifier } from '../tasks/classification/classifier.js';
import type { Segmenter } from '../tasks/segmentation/segmenter.js';
import type { ScoreRow } from './score-files.js';
import type { TestDomain } from './test-domains.js';
import { isClassification, type TrainedRun } from './trained-runs.js';

/** What a row of scores says beside the scores: the run, its model, the domain and the engine. */
export function scoredRun(
  model: Segmenter | Classifier,
  run: TrainedRun,
  { domain, style }: Pick<TestDomain, 'domain' | 'style'>,
  engine: Pick<Engine, 'name' | 'precision'>,
): Omit<ScoreRow, 'images' | 'test'> {
  const { randomSeed: seed, classNames, dataPercentage, ...settings } = run.settings;
  return {
    ...(isClassification(run) && { task: 'classification' as const }),
    run: run.name,
    checkpoint: run.path,
    adapter: model.adapter?.name ?? 'none',
    mode: settings.model.mode,
    adapterParameters: model.parameters.count('adapter'),
    headParameters: model.parameters.count('head'),
    modelName: settings.model.modelName,
    seed,
    dataPercentage,
    domain,
    style,
    engine: engine.name,
    precision: engine.precision,
    classNames,
  };
}

/** @throws UserError naming the runs whose scores are no numbers, after all are written. */
export function failIfUnscored(rows: readonly ScoreRow[]): void {
  const unscored = new Set(rows.filter(({ test }) => !areNumbers(test)).map(({ run }) => run));
  if (unscored.size === 0) return;
  throw new UserError(
    `expected scores, got NaN of ${[...unscored].join(', ')}, which are left out of every mean; train them again`,
  );
}
