import type { WarningEvent } from './event.js';

/** A warning that is given now. */
export function warningEvent(code: string, message: string): WarningEvent {
  return { type: 'warning', time: Date.now(), code, message };
}
