import { UserError } from '../src/base/errors.js';
import type { NumberName, Scores, ScoresIn } from '../src/events/scores.js';
import { shown } from '../src/study/trials/fail-reason.js';
import type { Direction } from '../src/study/trials/frozen-trial.js';

/** The name of a validation score, or a function that reads an event: undefined where the event has no value. */
export type ReportedMetric<E> = NumberName<ScoresIn<E>> | ((event: E) => number | undefined);

/** An event's value of a metric. @throws UserError when it is neither a number nor undefined. */
export function metricValue<E>(metric: ReportedMetric<E>, event: E): number | undefined {
  const value: unknown = typeof metric === 'function' ? metric(event) : scoreOf(metric, event);
  if (value === undefined || typeof value === 'number') return value;
  throw new UserError(
    `report: expected a metric that is a number, or undefined where an event has none, got ${shown(value)}`,
    { value },
  );
}

function scoreOf(name: string, event: unknown): unknown {
  const { type, scores } = event as { type?: unknown; scores?: Scores };
  return type === 'validation' ? scores?.[name] : undefined;
}

/** The value of a trial in each of its objectives so far: the last one, or the best one. */
export class ReportedValues {
  readonly #values: (number | undefined)[];

  constructor(
    private readonly directions: readonly Direction[],
    private readonly which: 'last' | 'best',
  ) {
    this.#values = directions.map(() => undefined);
  }

  /** The values so far, by objective; null if there is none. */
  get all(): readonly number[] | null {
    const values = this.#values.filter((value) => value !== undefined);
    return values.length === 0 ? null : values;
  }

  /** Adds the values of one event, by objective. */
  add(values: readonly (number | undefined)[]): void {
    values.forEach((value, objective) => {
      if (value !== undefined && (this.which === 'last' || this.#isBetter(value, objective)))
        this.#values[objective] = value;
    });
  }

  /** NaN is neither better nor worse: any number replaces it, and it replaces none. */
  #isBetter(value: number, objective: number): boolean {
    const before = this.#values[objective];
    if (before === undefined || Number.isNaN(before)) return true;
    return this.directions[objective] === 'maximize' ? value > before : value < before;
  }
}
