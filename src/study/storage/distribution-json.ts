import { UserError } from '../../base/errors.js';
import type { Choice, Distribution } from '../trials/distribution.js';
import type { Json } from '../trials/frozen-trial.js';
import { parsePythonJson, toPythonJson } from '../trials/python-json.js';

/**
 * The text of a distribution as Optuna stores it: `{"name": …, "attributes": {…}}`.
 *
 * A distribution that was read keeps the text that it was read from: Python tells 1.0 from 1 and JavaScript does
 * not, so that writing it anew would turn a study's float choices into ints.
 */
export function distributionToJson(distribution: Distribution): string {
  let text = texts.get(distribution);
  if (text === undefined) {
    const { name, ...attributes } = distribution;
    text = toPythonJson({ name, attributes: attributes as Record<string, Json> });
    texts.set(distribution, text);
  }
  return text;
}

/**
 * Reads a distribution, Optuna's deprecated classes (before 3.0) included. The same text yields the same object.
 *
 * @throws UserError when the class is unknown, or its attributes are not those of one.
 */
export function distributionFromJson(text: string): Distribution {
  let distribution = parsed.get(text);
  if (!distribution) {
    distribution = read(text);
    if (parsed.size >= MOST_PARSED) parsed.clear();
    parsed.set(text, distribution);
    texts.set(distribution, text);
  }
  return distribution;
}

const MOST_PARSED = 10_000;
const parsed = new Map<string, Distribution>();
const texts = new WeakMap<Distribution, string>();

interface Attributes {
  readonly low: number;
  readonly high: number;
  readonly log?: boolean;
  readonly step?: number | null;
  readonly q?: number;
  readonly choices: readonly Choice[];
}

function read(text: string): Distribution {
  const { name, attributes } = (parsePythonJson(text) ?? {}) as unknown as {
    name: unknown;
    attributes?: Attributes | null;
  };
  const { low, high, log = false, step = null, q = null, choices } = attributes ?? ({} as Attributes);
  const isChoice = (value: unknown) =>
    value === null || ['number', 'string', 'boolean'].includes(typeof value);
  const isComplete =
    name === 'CategoricalDistribution'
      ? Array.isArray(choices) && choices.length > 0 && choices.every(isChoice)
      : [low, high].every(Number.isFinite) &&
        low <= high &&
        typeof log === 'boolean' &&
        [step, q].every((each) => each === null || (Number.isFinite(each) && each > 0));
  const incomplete = () =>
    new UserError(`distribution ${text.slice(0, 80)}: its attributes are not those of one`);
  const complete = (distribution: Distribution) => {
    if (isComplete) return distribution;
    throw incomplete();
  };
  if (typeof name !== 'string') throw incomplete();
  switch (name) {
    case 'FloatDistribution':
      return complete({ name, low, high, log, step });
    case 'UniformDistribution':
    case 'LogUniformDistribution':
      return complete({
        name: 'FloatDistribution',
        low,
        high,
        log: name === 'LogUniformDistribution',
        step: null,
      });
    case 'DiscreteUniformDistribution':
      return complete({ name: 'FloatDistribution', low, high, log: false, step: q });
    case 'IntDistribution':
      return complete({ name, low, high, log, step: step ?? 1 });
    case 'IntUniformDistribution':
    case 'IntLogUniformDistribution':
      return complete({
        name: 'IntDistribution',
        low,
        high,
        log: name === 'IntLogUniformDistribution',
        step: step ?? 1,
      });
    case 'CategoricalDistribution':
      return complete({ name, choices });
    default:
      throw new UserError(
        `distribution "${name}": expected a float, int or categorical one that Optuna 2 to 5 writes`,
        {
          name,
        },
      );
  }
}
