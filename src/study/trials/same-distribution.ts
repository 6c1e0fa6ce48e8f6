import { UserError } from '../../base/errors.js';
import type { CategoricalDistribution, Distribution } from './distribution.js';

/** Whether two distributions are the same in every field. */
export function sameDistribution(a: Distribution, b: Distribution): boolean {
  if (a === b) return true;
  if (a.name === 'CategoricalDistribution' || b.name === 'CategoricalDistribution') {
    return a.name === b.name && sameChoices(a as CategoricalDistribution, b as CategoricalDistribution);
  }
  return a.name === b.name && a.low === b.low && a.high === b.high && a.log === b.log && a.step === b.step;
}

/**
 * Checks that one name keeps its kind within a study: ranges and steps may move, but not the class, `log`, or a
 * categorical's choices.
 *
 * @throws UserError that names the parameter and both distributions.
 */
export function checkCompatible(param: string, stored: Distribution, suggestion: Distribution): void {
  if (stored === suggestion) return;
  const fits =
    stored.name === 'CategoricalDistribution' || suggestion.name === 'CategoricalDistribution'
      ? sameDistribution(stored, suggestion)
      : stored.name === suggestion.name && stored.log === suggestion.log;
  if (fits) return;
  throw new UserError(
    `parameter "${param}": this study knows it as ${JSON.stringify(stored)}, got ${JSON.stringify(suggestion)}; ` +
      'keep its type, log and choices, or give it another name',
    { param, known: stored, asked: suggestion },
  );
}

function sameChoices(a: CategoricalDistribution, b: CategoricalDistribution): boolean {
  return (
    a.choices.length === b.choices.length && a.choices.every((choice, i) => Object.is(choice, b.choices[i]))
  );
}
