import { LABEL_METRIC_TEXTS, LABEL_METRICS } from '../tasks/classification/metrics/label-metrics.js';
import { sharedTrunk } from './cached-trunk.js';
import { classifierFlags, classifierTrainingFlags, labelledDataFlags } from './classification-flags.js';
import {
  type ClassificationSettings,
  checkTopK,
  classificationTask,
  loadLabelBackbone,
} from './classification-task.js';
import { classificationSplits } from './labelled-splits.js';
import { cacheOf } from './picture-batches.js';
import { type SearchedTask, type SearchSettings, trialsOn, validated } from './searched-task.js';
import type { TrainingRunSettings } from './training-run.js';

type Settings = SearchSettings & TrainingRunSettings & ClassificationSettings;

/** Classification, as a search trains it. */
export const searchedClassification: SearchedTask = {
  flags: { Data: labelledDataFlags, Model: classifierFlags, Training: classifierTrainingFlags },
  metrics: LABEL_METRICS,
  metric: 'accuracy',
  texts: LABEL_METRIC_TEXTS,
  prefix: 'classifier_',
  sources: ['labels', 'imageDir'],
  open: async (search: Settings) => {
    const data = await classificationSplits(search);
    const { classes } = data;
    const splits = validated(data.splits);
    checkTopK('--optimize-for', search.optimizeFor, search.topK, classes);
    const backbone = await loadLabelBackbone(search, data);
    const cache = cacheOf(search);
    const trunk = sharedTrunk(search);
    return trialsOn(backbone, (settings: Settings) => {
      const { head, randomSeed: seed } = settings;
      const model = backbone.sibling({ classes: classes.length, head, seed });
      return classificationTask({ ...settings, sharedTrunk: trunk }, { splits, classes, cache, model });
    });
  },
};
