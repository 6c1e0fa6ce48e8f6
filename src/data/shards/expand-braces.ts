import { UserError } from '../../base/errors.js';

/** The most names that a pattern stands for. */
const MOST = 1_000_000;

/**
 * The names that a pattern stands for: `a-{000..002}.tar` is a-000.tar, a-001.tar, a-002.tar, and `{train,val}.tar` is
 * train.tar and val.tar. Numbers keep the digits that they are written with.
 *
 * @throws UserError for a range that runs backwards, and for more than a million names.
 * @example
 * expandBraces('data-{08..10}.tar'); // => ['data-08.tar', 'data-09.tar', 'data-10.tar']
 */
export function expandBraces(pattern: string): string[] {
  const match = /\{(?:(\d+)\.\.(\d+)|([^{}]*,[^{}]*))\}/.exec(pattern);
  if (!match) return [pattern];
  const [whole, first, last, list] = match;
  const before = pattern.slice(0, match.index);
  const rests = expandBraces(pattern.slice(match.index + whole.length));
  const names = list === undefined ? numbers(pattern, first!, last!) : list.split(',');
  if (names.length * rests.length > MOST)
    throw new UserError(`${pattern}: expected at most ${MOST} names, got ${names.length * rests.length}`, {
      pattern,
    });
  return names.flatMap((name) => rests.map((rest) => before + name + rest));
}

function numbers(pattern: string, first: string, last: string): string[] {
  const [from, to] = [Number(first), Number(last)];
  const count = to - from + 1;
  if (count < 1 || count > MOST)
    throw new UserError(`${pattern}: expected a range of 1 to ${MOST} numbers, got ${first}..${last}`, {
      pattern,
    });
  return Array.from({ length: count }, (_, i) => String(from + i).padStart(first.length, '0'));
}
