import { UserError } from '../../../base/errors.js';

/** What a setting may be. */
export interface Limits {
  /** Default: any. */
  readonly least?: number;
  /** Above 0. */
  readonly positive?: boolean;
  readonly most?: number;
  readonly whole?: boolean;
}

/** The limits of a probability, and of a share. */
export const SHARE: Limits = { least: 0, most: 1 };

/**
 * Checks the settings of a transform or a mixer: each a number, or a range whose lower end comes first.
 *
 * @throws UserError that names the first that is wrong.
 */
export function checkSettings(
  name: string,
  settings: Readonly<Record<string, readonly [value: number | readonly number[], limits: Limits]>>,
): void {
  for (const [setting, [value, limits]] of Object.entries(settings)) {
    const values = typeof value === 'number' ? [value] : value;
    const inOrder = typeof value === 'number' || (value.length === 2 && value[0]! <= value[1]!);
    if (inOrder && values.every((one) => allowed(one, limits))) continue;
    const [got, what] = typeof value === 'number' ? [value, one(limits)] : [`[${value}]`, two(limits)];
    throw new UserError(`${name}: expected ${setting} to be ${what}, got ${got}`, { [setting]: value });
  }
}

function allowed(value: number, { least = -Infinity, positive, most = Infinity, whole }: Limits): boolean {
  return (
    Number.isFinite(value) &&
    value >= least &&
    value <= most &&
    (!positive || value > 0) &&
    (!whole || Number.isInteger(value))
  );
}

function one(limits: Limits): string {
  return `${limits.whole ? 'an integer' : 'a number'}${within(limits)}`;
}

function two(limits: Limits): string {
  return `two ${limits.whole ? 'integers' : 'numbers'}${within(limits)}, the lower one first`;
}

function within({ least, positive, most }: Limits): string {
  const from = positive ? ' above 0' : least === undefined ? '' : ` from ${least}`;
  if (most === undefined) return positive || from === '' ? from : `${from} up`;
  return positive ? `${from} and at most ${most}` : `${from} to ${most}`;
}
