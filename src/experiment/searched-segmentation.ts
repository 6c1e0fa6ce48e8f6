import { METRIC_TEXTS, METRICS } from '../tasks/segmentation/metrics/metric.js';
import { sharedTrunk } from './cached-trunk.js';
import { segmentationWeights } from './class-weights.js';
import { dataFlags } from './data-flags.js';
import { cacheOf } from './picture-batches.js';
import { type SearchedTask, type SearchSettings, trialsOn, validated } from './searched-task.js';
import {
  headOf,
  loadBackbone,
  type SegmentationSettings,
  segmentationSplits,
  segmentationTask,
} from './segmentation-task.js';
import { tiledSplits } from './tiled-splits.js';
import { modelFlags, trainingFlags } from './training-flags.js';
import type { TrainingRunSettings } from './training-run.js';

type Settings = SearchSettings & TrainingRunSettings & SegmentationSettings;

/** Segmentation, as a search trains it. */
export const searchedSegmentation: SearchedTask = {
  flags: { Data: dataFlags, Model: modelFlags, Training: trainingFlags },
  metrics: METRICS,
  metric: 'softDice',
  texts: METRIC_TEXTS,
  prefix: '',
  sources: ['imageDir'],
  open: async (search: Settings) => {
    const pictures = validated(await segmentationSplits(search));
    const splits = await tiledSplits(search, pictures);
    const backbone = await loadBackbone(search);
    const cache = cacheOf(search);
    const trunk = sharedTrunk(search);
    const weights = await segmentationWeights(search, pictures);
    return trialsOn(backbone, (settings: Settings) => {
      const model = backbone.sibling({ ...headOf(settings), seed: settings.randomSeed });
      return segmentationTask(
        { ...settings, sharedTrunk: trunk },
        { splits, whole: pictures, cache, model, weights },
      );
    });
  },
};
