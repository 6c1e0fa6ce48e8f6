import { printable } from '../base/printable.js';
import type { TrialEvent } from '../events/event.js';

type Told = Pick<TrialEvent, 'number' | 'params' | 'reason'> & {
  readonly state: string;
  readonly values?: readonly number[] | null;
};

/** A trial on one line: number, state, its values or why it failed, parameters. */
export function trialText({ number, state, values, params, reason }: Told): string {
  const outcome = reason ?? values?.join(', ') ?? '';
  return `${printable(`trial ${number} ${state} ${outcome} ${JSON.stringify(params)}`)}\n`;
}
