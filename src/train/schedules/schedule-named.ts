import { named } from '../../base/named.js';
import type { Metric } from '../../tasks/segmentation/metrics/metric.js';
import { constant } from './constant.js';
import { cosine } from './cosine.js';
import { plateau } from './plateau.js';
import type { Schedule } from './schedule.js';
import { trapezoid } from './trapezoid.js';

/** The schedules by the names that configurations use. */
export const SCHEDULES = ['trapezoid', 'cosine', 'constant', 'plateau'] as const;
export type ScheduleName = (typeof SCHEDULES)[number];

/**
 * A schedule by its name, over `steps` batches; `metric` is what plateau follows.
 *
 * @throws UserError that names the nearest schedule.
 */
export function scheduleNamed(
  name: ScheduleName,
  { steps, metric }: { readonly steps: number; readonly metric: Metric },
): Schedule {
  const table = {
    trapezoid: () => trapezoid(steps),
    cosine: () => cosine(steps),
    constant,
    plateau: () => plateau({ metric }),
  };
  return named('schedule', table, name)();
}
