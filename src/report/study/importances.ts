import { maxOf } from '../../numeric/extremes.js';
import { type ImportanceOptions, rankedImportances } from '../../study/importance/importance.js';
import type { Plot } from '../render.js';
import { completeTrials, objectiveName, type StudyData } from './study-data.js';

/**
 * The parameters' importances as bars; see `importancesOf` for the options. With several objectives, for each one.
 *
 * @throws UserError where there are fewer than two COMPLETE trials.
 */
export function plotParamImportances(data: StudyData, options: ImportanceOptions = {}): Plot {
  const trials = completeTrials(data);
  const several = data.directions.length > 1 && !options.target;
  const objectives = several ? [...data.directions.keys()] : [0];
  const values = objectives.flatMap((objective) => {
    const sign = data.directions[objective] === 'maximize' ? -1 : 1;
    const target = several
      ? { target: (trial: (typeof trials)[number]) => sign * trial.values![objective]! }
      : {};
    const importances = rankedImportances(trials, data.directions, { ...options, ...target });
    return importances.map(([param, importance]) => ({
      param,
      importance,
      objective: objectiveName(data, objective),
      label: importance < 0.005 ? '< 0.01' : importance.toFixed(2),
    }));
  });
  const place = {
    y: { field: 'param', type: 'nominal', title: null, sort: null, axis: { labelLimit: 220 } },
    x: {
      field: 'importance',
      type: 'quantitative',
      title: 'Importance',
      scale: { domain: [0, maxOf(values.map(({ importance }) => importance)) * 1.08] },
      axis: { tickCount: 5, grid: false },
    },
    ...(several && { yOffset: { field: 'objective', sort: null } }),
  };
  const method = options.evaluator === 'ped-anova' ? 'PED-ANOVA' : 'fANOVA';
  return {
    title: { text: `Parameter importances (${method})`, subtitle: data.name },
    width: 360,
    height: { step: several ? 16 : 28 },
    data: { values },
    layer: [
      {
        mark: { type: 'bar' },
        encoding: {
          ...place,
          color: several
            ? { field: 'objective', type: 'nominal', title: null, sort: null }
            : { value: '#0072B2' },
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 4, fontSize: 11 },
        encoding: { ...place, text: { field: 'label' } },
      },
    ],
  };
}
