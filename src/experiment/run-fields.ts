import { didYouMean } from '../base/did-you-mean.js';
import { UserError } from '../base/errors.js';
import { flagName } from '../cli/flag.js';
import { aboutScore, numbersOf } from '../events/shown-scores.js';
import type { RunOverview } from './run-overview.js';

/** Whether a run is one of those that were asked for. */
export type RunFilter = (run: RunOverview) => boolean;

/** Parts of the recorded settings that repeat flags, or that only say where files go. */
const REPEATED = ['model', 'runName', 'outDir', 'logDir', 'plotDir', 'keep', 'checkpointEvery', 'logger'];

/** The settings of a run by flag, such as `rank` and `data-percentage`; those that only say where files go are left out. */
export function settingsOf({ config }: Pick<RunOverview, 'config'>): Record<string, unknown> {
  const settings = Object.entries(config).filter(([key]) => !REPEATED.includes(key));
  return Object.fromEntries(settings.map(([key, value]) => [flagName(key), value]));
}

/**
 * All that runs are sorted and filtered by, named as flags: what is known of one, its scores and its settings. `loss` is the
 * setting.
 */
function fieldsOf(run: RunOverview): Record<string, unknown> {
  const { name, state, adapter, seed, epoch, epochs, step, started, seconds, engine, precision } = run;
  const { adapterParameters, headParameters, scores } = run;
  return {
    ...Object.fromEntries(numbersOf(scores).map(([score, value]) => [flagName(score), value])),
    ...settingsOf(run),
    name,
    state,
    adapter,
    seed,
    epoch,
    epochs,
    step,
    when: started,
    seconds,
    engine,
    precision,
    'adapter-parameters': adapterParameters,
    'head-parameters': headParameters,
  };
}

/**
 * The filter that an expression such as `adapter=lora`, `lr<=1e-3`, `state!=finished` or `name=pets*` is.
 *
 * @throws UserError for one that is none, and for a field that none of the runs has, with the nearest one.
 */
export function runFilter(expression: string, runs: readonly RunOverview[]): RunFilter {
  const [, field = '', operator = '', wanted = ''] =
    /^\s*([\w-]+)\s*(!=|<=|>=|=|<|>)(.*)$/.exec(expression) ?? [];
  if (!operator)
    throw new UserError(
      `--where ${expression}: expected a field, one of = != < > <= >=, and a value, such as adapter=lora or lr<=1e-3`,
      { expression },
    );
  const key = knownField(field, runs, '--where');
  return (run) => holds(fieldsOf(run)[key], operator, wanted.trim());
}

/**
 * The runs by a field: the newest or the best first, numbers falling and texts rising. Runs that lack it come last.
 *
 * @throws UserError for a field that none of the runs has.
 */
export function sortedRuns(runs: readonly RunOverview[], field: string): RunOverview[] {
  const key = knownField(field, runs, '--sort');
  const score = runs.flatMap(({ scores }) => Object.keys(scores)).find((name) => flagName(name) === key);
  const sign = score !== undefined && aboutScore(score).mode === 'min' ? 1 : -1;
  const known = (value: unknown) => value !== null && value !== undefined && !Number.isNaN(value);
  return runs.toSorted((first, second) => {
    const [a, b] = [fieldsOf(first)[key], fieldsOf(second)[key]];
    if (!known(a) || !known(b)) return Number(known(b)) - Number(known(a));
    if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
    return String(a).localeCompare(String(b), 'en', { numeric: true });
  });
}

function knownField(field: string, runs: readonly RunOverview[], flag: string): string {
  const names = [...new Set(runs.flatMap((run) => Object.keys(fieldsOf(run))))];
  const key = flagName(field);
  if (names.includes(key)) return key;
  throw new UserError(
    `${flag} ${field}: expected a field of the runs, such as name, adapter, when, a score or a setting${didYouMean(key, names)}`,
    { field },
  );
}

function holds(value: unknown, operator: string, wanted: string): boolean {
  if (operator === '=') return matches(value, wanted);
  if (operator === '!=') return !matches(value, wanted);
  const [a, b] = [Number(value), Number(wanted)];
  if (typeof value !== 'number' || Number.isNaN(a) || Number.isNaN(b)) return false;
  return operator === '<' ? a < b : operator === '>' ? a > b : operator === '<=' ? a <= b : a >= b;
}

function matches(value: unknown, wanted: string): boolean {
  if (value === undefined || value === null) return wanted === '' || wanted === 'null';
  if (Array.isArray(value)) return value.some((one) => matches(one, wanted));
  if (typeof value === 'number' && wanted !== '' && !Number.isNaN(Number(wanted)))
    return value === Number(wanted);
  const parts = String(value instanceof Object ? JSON.stringify(value) : value);
  const pattern = wanted.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pattern.join('.*')}$`, 'is').test(parts);
}
