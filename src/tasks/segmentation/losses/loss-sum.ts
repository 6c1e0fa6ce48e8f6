import { UserError } from '../../../base/errors.js';
import { add, mul } from '../../../base/tfjs-core.js';
import type { Loss } from '../../../model/loss.js';
import { losses } from './losses.js';
import type { CrossEntropyOptions } from './pixel-cross-entropy.js';

/** One term of a sum of losses. */
interface Term {
  readonly name: string;
  readonly factor: number;
}

/**
 * The loss of a name, or of a sum of names, each with a factor where it has one.
 *
 * @throws UserError for an unknown name, a factor that is no number above 0, and a name twice.
 * @example
 * lossSum('dice+cross-entropy+0.01*boundary', { smoothing: 0.1 });
 */
export function lossSum(text: string, options: CrossEntropyOptions = {}): Loss {
  const [first, ...others] = lossTerms(text).map(({ name, factor }): Loss => {
    const loss = losses.make(name, options);
    return factor === 1 ? loss : (...given) => mul(factor, loss(...given));
  });
  if (others.length === 0) return first!;
  return (...given) => others.reduce((total, loss) => add(total, loss(...given)), first!(...given));
}

/** The terms of a sum. @throws UserError as `lossSum` does. */
export function lossTerms(text: string): readonly Term[] {
  const terms = text.split('+').map((part): Term => {
    const [, factor = '1', name = ''] = /^(?:([\d.]+)\*)?(.*)$/.exec(part.trim())!;
    losses.get(name);
    if (Number(factor) > 0) return { name, factor: Number(factor) };
    throw new UserError(`loss: expected a factor above 0, such as 0.5*${name}, got ${part.trim()}`, { text });
  });
  const twice = terms.find(({ name }, i) => terms.findIndex((other) => other.name === name) < i);
  if (!twice) return terms;
  throw new UserError(`loss: expected each loss once, got ${twice.name} twice; give it a factor`, { text });
}
