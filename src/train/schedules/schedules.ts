import { named } from '../../base/named.js';
import { constant } from './constant.js';
import { cosine } from './cosine.js';
import { plateau } from './plateau.js';
import type { Schedule } from './schedule.js';
import { trapezoid } from './trapezoid.js';

/** Settings of a run that schedules use; each uses those that it knows. */
export interface NamedScheduleOptions {
  /** Batches in the whole run. */
  readonly steps: number;
  /** The score that plateau follows. */
  readonly metric: string;
}

/**
 * The schedules of the learning rate by name.
 *
 * @example
 * schedules.make('cosine', { steps: 1000, metric: 'softDice' });
 */
export const schedules = named('schedule', {
  trapezoid: ({ steps }: NamedScheduleOptions): Schedule => trapezoid(steps),
  cosine: ({ steps }: NamedScheduleOptions): Schedule => cosine(steps),
  constant: (): Schedule => constant(),
  plateau: ({ metric }: NamedScheduleOptions): Schedule => plateau({ metric }),
});
