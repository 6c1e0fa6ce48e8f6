import { named } from '../base/named.js';
import { searchedClassification } from './searched-classification.js';
import { searchedSegmentation } from './searched-segmentation.js';
import type { SearchedTask } from './searched-task.js';

/** The tasks that `hyperparam-optim --task` searches over, by name; the first is the default. */
export const searchedTasks = named<'segmentation' | 'classification', SearchedTask>('task', {
  segmentation: searchedSegmentation,
  classification: searchedClassification,
});
