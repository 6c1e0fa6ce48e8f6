import { defer, from, isObservable, map, type Observable, tap } from 'rxjs';
import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { moduleError } from '../base/module-error.js';
import { importModule } from '../cli/import-module.js';
import type { Trial } from '../study/trial.js';

/** A report of an objective: an intermediate value, or the result. */
export interface ObjectiveReport {
  readonly value?: number;
  readonly values?: readonly number[];
  /** Null: the value is the result, not an intermediate report. */
  readonly step?: number | null;
}

/** The values that `--sampler grid` tries: the module's export `searchSpace`. */
const searchSpaces = z
  .record(z.string(), z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).min(1))
  .optional();

/** An objective from a user's own module. */
export interface LoadedObjective {
  /** The values that `--sampler grid` tries. */
  readonly searchSpace?: z.infer<typeof searchSpaces>;
  /** Runs a trial as a stream of its reports. */
  readonly objective: (trial: Trial) => Observable<ObjectiveReport>;
  /** Rethrows an error: one of the module's own as a message with the places in its files. */
  readonly explain: (error: unknown) => Observable<never>;
}

type Result = number | readonly number[];

/**
 * Loads the module that `--objective` names: the objective as a stream of what it reports, the search space that the
 * module exports, and what turns the objective's own errors into a message with the places in the user's files.
 *
 * @throws UserError where the module cannot be loaded or exports something else.
 */
export async function loadObjective(path: string): Promise<LoadedObjective> {
  const flag = `--objective ${path}`;
  const { default: objective, searchSpace } = await importModule(flag, path);
  if (typeof objective !== 'function')
    throw new UserError(`--objective ${path}: expected a default export that is a function of a trial`, {
      path,
    });
  const space = searchSpaces.safeParse(searchSpace);
  if (!space.success)
    throw new UserError(
      `${flag}: expected an export searchSpace such as { x: [-1, 0, 1] }, got something else`,
      {
        path,
      },
    );
  const reported = (result: Result): ObjectiveReport =>
    Array.isArray(result) ? { values: result } : { value: result as number, step: null };
  const errors = new Set<unknown>();
  const call = (trial: Trial): Observable<ObjectiveReport> => {
    const result = (objective as (trial: Trial) => Result | Promise<Result> | Observable<ObjectiveReport>)(
      trial,
    );
    return isObservable(result)
      ? (result as Observable<ObjectiveReport>)
      : from(Promise.resolve(result)).pipe(map(reported));
  };
  return {
    searchSpace: space.data,
    objective: (trial) => defer(() => call(trial)).pipe(tap({ error: (error) => errors.add(error) })),
    explain: (error) => {
      throw errors.has(error) && !(error instanceof UserError) ? moduleError(flag, 'it threw', error) : error;
    },
  };
}
