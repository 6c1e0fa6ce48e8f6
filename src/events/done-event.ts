import type { DoneEvent } from './event.js';

/** The last event of a run whose process started at `started`, a reading of `performance.now()`. */
export function doneEvent(
  reason: DoneEvent['reason'],
  { step, epoch }: Pick<DoneEvent, 'step' | 'epoch'>,
  started: number,
): DoneEvent {
  const seconds = (performance.now() - started) / 1000;
  return { type: 'done', time: Date.now(), reason, step, epoch, seconds };
}
