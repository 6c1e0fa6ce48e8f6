import { UserError } from '../../../base/errors.js';
import type { Heartbeat } from '../storage.js';

/** Options of `openStorage`: how trials of this process show that it lives. */
export interface HeartbeatOptions {
  /** Seconds between the beats of running trials; absent: none, and trials of dead processes stay RUNNING. */
  readonly heartbeatInterval?: number;
  /** Seconds without a beat after which a trial is stale, twice the interval by default, and no less than it. */
  readonly gracePeriod?: number;
}

/** Seconds that fit a timer, whose milliseconds are 32 bits with a sign: 24 days. */
export const LONGEST_INTERVAL = 2_147_483;

/** @throws UserError when a number is none that a heart can keep to. */
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
