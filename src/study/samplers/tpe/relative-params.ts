import type { StudyView } from '../../contracts/study-view.js';
import type { ParamValue } from '../../trials/distribution.js';
import type { FrozenTrial } from '../../trials/frozen-trial.js';
import { parsePythonJson, toPythonJson } from '../../trials/python-json.js';

type Params = Readonly<Record<string, ParamValue>>;

const KEY = 'tpe:relative_params';
/** The longest text of one attribute in Optuna's tables. */
const LONGEST = 2045;

/** Records a trial's proposal, so that other processes know its parameters before it suggests them. */
export function noteRelativeParams(study: StudyView, trial: FrozenTrial, params: Params): void {
  const text = toPythonJson(params);
  for (let i = 0; i * LONGEST < text.length; i++) {
    study.setTrialSystemAttr(trial, `${KEY}:${i}`, text.slice(i * LONGEST, (i + 1) * LONGEST));
  }
}

/** The parameters of a running trial, suggested or proposed. */
export function runningParams(trial: FrozenTrial): Params {
  let text = '';
  for (let i = 0; ; i++) {
    const part = trial.systemAttrs[`${KEY}:${i}`];
    if (typeof part !== 'string') break;
    text += part;
  }
  if (text === '') return trial.params;
  try {
    return { ...(parsePythonJson(text) as Params), ...trial.params };
  } catch {
    // Another process is still writing the parts.
    return trial.params;
  }
}
