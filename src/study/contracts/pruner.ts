import type { FrozenTrial } from '../trials/frozen-trial.js';
import type { StudyView } from './study-view.js';

/** Decides, after a report, whether a trial should continue. */
export interface Pruner {
  /** Whether the trial should end now. */
  prune(study: StudyView, trial: FrozenTrial): boolean;
  /**
   * The part of the study that this trial competes in, which the sampler then sees in place of the whole
   * (Hyperband's bracket). The same view object must come back for the same part.
   */
  view?(study: StudyView, trial: FrozenTrial): StudyView;
}
