import { UserError } from '../base/errors.js';

/** Values of a setting for some maps, by their names or the ends of names, such as `{ query: 8, 'layers.0.value': 2 }`. */
export type Patterns = Readonly<Record<string, number>>;

/**
 * The value of the first pattern that fits one of a map's names, else the usual one: PEFT's rule of `rank_pattern`. A pattern
 * is a regular expression of a whole name or of all that follows a dot in it.
 */
export function patternValue(
  patterns: Patterns | undefined,
  names: readonly string[],
  usual: number,
): number {
  for (const [pattern, value] of Object.entries(patterns ?? {})) {
    const whole = expressionOf(pattern);
    if (names.some((name) => whole.test(name))) return value;
  }
  return usual;
}

function expressionOf(pattern: string): RegExp {
  try {
    return new RegExp(`^(.*\\.)?(${pattern})$`);
  } catch (cause) {
    throw new UserError(
      `expected a regular expression as the name of a pattern, got ${pattern}`,
      { pattern },
      { cause },
    );
  }
}
