import type { Parameter, Parameters } from '../parameters.js';

export const TRAINING_MODES = ['head', 'adapters', 'full'] as const;

/** The head alone, an adapter too, or everything. */
export type TrainingMode = (typeof TRAINING_MODES)[number];

/** Whether a parameter trains in a mode, or by a list of names; a buffer never does. */
export function trainsIn(
  which: TrainingMode | readonly string[],
  { name, group, buffer }: Parameter,
): boolean {
  if (buffer) return false;
  if (typeof which !== 'string') return which.includes(name);
  return which === 'full' || group === 'head' || (which === 'adapters' && group === 'adapter');
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
