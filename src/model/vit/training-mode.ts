import { UserError } from '../../base/errors.js';
import type { Parameter, Parameters } from '../parameters.js';

export const TRAINING_MODES = ['head', 'adapters', 'full'] as const;

/** The head alone, an adapter too, or everything. */
export type TrainingMode = (typeof TRAINING_MODES)[number];

/** Whether a parameter trains in a mode, or by a list of names; a buffer never does. */
function trainsIn(which: TrainingMode | readonly string[], { name, group, buffer }: Parameter): boolean {
  if (buffer) return false;
  if (typeof which !== 'string') return which.includes(name);
  return which === 'full' || group === 'head' || (which === 'adapters' && group === 'adapter');
}

/** Makes trainable what a mode, or a list of names, says, and nothing else. @throws UserError for a name of no parameter. */
export function setTrainable(parameters: Parameters, which: TrainingMode | readonly string[]): void {
  if (typeof which !== 'string') {
    const wrongName = which.find((name) => !parameters.has(name) || parameters.parameter(name).buffer);
    if (wrongName !== undefined)
      throw new UserError(`train: expected names of parameters of the model, got ${wrongName}`, {
        name: wrongName,
      });
  }
  for (const parameter of parameters) parameter.trainable = trainsIn(which, parameter);
}

/**
 * The current training mode of a model: the mode with exactly its trainable parameters, or their names if no mode
 * matches.
 *
 * Where two modes are the same (`head` and `adapters`, without an adapter) it is the smaller.
 */
export function trainingMode(parameters: Parameters): TrainingMode | string[] {
  const all = [...parameters];
  const mode = TRAINING_MODES.find((each) =>
    all.every((parameter) => trainsIn(each, parameter) === (parameter.trainable && !parameter.buffer)),
  );
  return mode ?? parameters.trainable().map(({ name }) => name);
}
