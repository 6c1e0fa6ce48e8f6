import type { CheckpointStore } from '../train/checkpoint-store.js';
import { readCheckpointInfo } from '../train/read-checkpoint.js';
import { schedules } from '../train/schedules/schedules.js';
import { learningRates } from './learning-rates.js';

/**
 * A note for a resumed run with other `--epochs` than before, as a line for standard error: the schedule spans
 * the whole run, so that the learning rate goes on from another place of it. Empty where nothing has changed.
 */
export async function resumeNotes(
  store: CheckpointStore,
  settings: Parameters<typeof learningRates>[0] & {
    readonly epochs: number;
    readonly schedule: string;
    readonly metric: string;
  },
  batches: number,
): Promise<string> {
  const path = await store.last();
  if (path === undefined) return '';
  const { config, position } = await readCheckpointInfo(path);
  const { epochs: was } = config;
  const { epochs, schedule, metric } = settings;
  if (typeof was !== 'number' || was === epochs || position === 0) return '';
  const rate = (of: number, step: number) => {
    const factor = schedules.make(schedule, { steps: of * batches, metric })(step);
    const base = learningRates(settings);
    const rates = typeof base === 'number' ? [base] : [base.adapter, base.head];
    return rates.map((each) => Number((factor * each).toPrecision(3)).toExponential()).join(' and ');
  };
  const [before, after] = [rate(was, position - 1), rate(epochs, position)];
  const change =
    schedule === 'constant' || schedule === 'plateau'
      ? 'the schedule stays as it is'
      : `--schedule ${schedule} now spans ${epochs}, and the learning rate ${before === after ? `stays ${after}` : `goes from ${before} at step ${position} to ${after} at the next`}`;
  return `--epochs ${epochs}: the run began with ${was}; ${change}\n`;
}
