import { join } from 'node:path';
import type { Study } from '../../study/study.js';
import { sameDistribution } from '../../study/trials/same-distribution.js';
import { type Plot, writePlot } from '../render.js';
import { plotContour } from './contour.js';
import { plotOptimizationHistory } from './history.js';
import { plotParamImportances } from './importances.js';
import { plotIntermediateValues } from './intermediate.js';
import { plotParallelCoordinates } from './parallel.js';
import { plotParetoFront } from './pareto.js';
import { plotSlice } from './slice.js';
import {
  completeTrials,
  objectiveName,
  type StudyData,
  sharedParams,
  spaceOf,
  studyData,
  varyingParams,
} from './study-data.js';

/**
 * The plots for which a study has enough trials, by file name; those of one objective are drawn once for each.
 */
export function studyPlots(data: StudyData): Record<string, Plot> {
  const complete = completeTrials(data);
  const plots: Record<string, Plot> = {};
  const several = data.directions.length > 1;
  const suffixes = fileNames(data.directions.map((_, objective) => objectiveName(data, objective)));
  const params = spaceOf(complete).size;
  const shared = sharedParams(complete);
  if (data.trials.some(({ intermediateValues }) => [...intermediateValues.values()].some(Number.isFinite)))
    plots['intermediate-values'] = plotIntermediateValues(data);
  if (complete.length > 0)
    data.directions.forEach((_, objective) => {
      const suffix = several ? `-${suffixes[objective]}` : '';
      plots[`optimization-history${suffix}`] = plotOptimizationHistory(data, { objective });
      if (params === 0) return;
      plots[`slice${suffix}`] = plotSlice(data, { objective });
      if (shared.length > 0)
        plots[`parallel-coordinates${suffix}`] = plotParallelCoordinates(data, { objective, params: shared });
      if (complete.length > 2 && varyingParams(complete).length > 1)
        plots[`contour${suffix}`] = plotContour(data, { objective });
    });
  const unmoved = shared.filter((name) =>
    complete.every(({ distributions }) =>
      sameDistribution(distributions[name]!, complete[0]!.distributions[name]!),
    ),
  );
  if (unmoved.length > 0 && complete.length > 1) plots['param-importances'] = plotParamImportances(data);
  if (several && complete.length > 0) plots['pareto-front'] = plotParetoFront(data);
  return plots;
}

/**
 * Writes every plot that applies to a study as `<dir>/<name>.svg` and `.png`.
 *
 * @returns the paths without their endings
 * @example
 * await writeStudyPlots('plots/rank', study); // plots/rank/optimization-history.svg and .png, and so on
 */
export async function writeStudyPlots(dir: string, study: Study): Promise<string[]> {
  const paths: string[] = [];
  for (const [name, plot] of Object.entries(studyPlots(await studyData(study)))) {
    const path = join(dir, name);
    await writePlot(path, plot);
    paths.push(path);
  }
  return paths;
}

/** One for each objective: its name in letters that every file system has, with its number where that is none of its own. */
function fileNames(objectives: readonly string[]): string[] {
  const names = objectives.map((name) => name.toLowerCase().replace(/[^a-z0-9]+/g, '-'));
  const isOwn = (name: string) =>
    /[a-z0-9]/.test(name) && names.filter((other) => other === name).length === 1;
  return names.map((name, objective) => (isOwn(name) ? name : `${name}-${objective + 1}`));
}
