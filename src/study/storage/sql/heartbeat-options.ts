import { UserError } from '../../../base/errors.js';
import type { Heartbeat } from '../storage.js';

/** Options of `openStorage`: the heartbeats of this process's trials. */
export interface HeartbeatOptions {
  /**
   * Seconds between the heartbeats of running trials; absent: none, and trials of dead processes stay RUNNING.
   */
  readonly heartbeatInterval?: number;
  /** Seconds without a beat after which a trial is stale, twice the interval by default, and no less than it. */
  readonly gracePeriod?: number;
}

/** The most seconds of a timer, whose milliseconds are signed 32-bit numbers: 24 days. */
export const LONGEST_INTERVAL = 2_147_483;

/** Checks the options. @throws UserError when a number cannot be kept to. */
export function heartbeatOf({
  heartbeatInterval: interval,
  gracePeriod: grace,
}: HeartbeatOptions): Heartbeat | undefined {
  if (interval === undefined) {
    if (grace === undefined) return undefined;
    throw new UserError(`gracePeriod: expected it with a heartbeatInterval, got ${grace} alone`, { grace });
  }
  if (!(interval > 0 && interval <= LONGEST_INTERVAL))
    throw new UserError(
      `heartbeatInterval: expected seconds above 0 and up to ${LONGEST_INTERVAL} (24 days), got ${interval}`,
      { interval },
    );
  if (grace !== undefined && !(grace >= interval && grace < Number.POSITIVE_INFINITY))
    throw new UserError(
      `gracePeriod: expected seconds from the heartbeatInterval, ${interval}, up, got ${grace}; ` +
        'with less, trials that run would be found stale',
      { interval, grace },
    );
  return { interval, grace: grace ?? 2 * interval };
}
