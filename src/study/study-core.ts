import type { RetryOptions } from './retry-trial.js';
import type { RunningTrials } from './running-trials.js';
import type { StudyAttributes } from './study-attributes.js';
import type { TrialHost } from './trial.js';

/** State of one study in this process, shared by ask, tell and the ending of stale trials. */
export interface StudyCore {
  /** The study, as its trials see it. */
  readonly study: TrialHost;
  /** The storage's key of the study. */
  readonly id: number;
  readonly attributes: StudyAttributes;
  readonly running: RunningTrials;
  readonly retries: RetryOptions;
}
