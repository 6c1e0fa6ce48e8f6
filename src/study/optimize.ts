import { UserError } from '../base/errors.js';
import type { TellOptions } from './tell-options.js';
import type { Trial } from './trial.js';
import { TrialPruned } from './trial-pruned.js';
import { reasonOf, shown } from './trials/fail-reason.js';
import type { FrozenTrial } from './trials/frozen-trial.js';
import { TrialEndedError } from './trials/trial-ended-error.js';

/** The part of a study that `optimize` uses. */
export interface Optimizable {
  readonly name: string;
  /** Begins a loop: the result tells whether the study was stopped since. */
  begin(): { readonly stopped: boolean };
  /** Begins a trial. */
  ask(): Promise<Trial>;
  /** Ends a trial. */
  tell(trial: Trial, values: number | readonly number[] | null, options?: TellOptions): Promise<FrozenTrial>;
  /** Warns the user. */
  warn(code: string, message: string): void;
}

/** Options of `optimize`. */
export interface OptimizeOptions<S extends Optimizable = Optimizable> {
  /** How many trials this call runs; without a limit until `timeout`, `study.stop()` or `signal`. */
  readonly trials?: number;
  /** Seconds after which no further trial begins. */
  readonly timeout?: number;
  /** The number of trials that run at the same time in this process, 1 by default. */
  readonly concurrency?: number;
  /** Errors of the objective that make its trial FAIL and let the rest go on; others also end the call. */
  readonly catches?: (error: unknown) => boolean;
  /** Called with each trial as stored, like Optuna's callbacks, and awaited; if it throws, the call ends. */
  readonly onTrial?: (trial: FrozenTrial, study: S) => unknown;
  /** Ends the call when it is aborted; running trials become FAIL. */
  readonly signal?: AbortSignal;
}

/** An objective's result: a value, or one for each direction. */
export type Objective = (trial: Trial) => number | readonly number[] | Promise<number | readonly number[]>;

/**
 * Runs an objective for trial after trial: Optuna's `study.optimize`.
 *
 * A value makes a trial COMPLETE, NaN, what is not a number or a wrong number of values FAIL, `TrialPruned` PRUNED, and
 * whatever else is thrown FAIL with its message. A trial that another process found stale is passed over with a warning.
 *
 * An objective, or `onTrial`, must not call `optimize` on its own study: until its first await that is refused, as in
 * Optuna; later it would be a second call like any other.
 *
 * @example
 * await study.optimize((trial) => (trial.suggestFloat('x', -10, 10) - 2) ** 2, { trials: 100 });
 */
export async function optimize<S extends Optimizable>(
  study: S,
  objective: Objective,
  {
    trials = Number.POSITIVE_INFINITY,
    timeout = Number.POSITIVE_INFINITY,
    concurrency = 1,
    catches,
    onTrial,
    signal,
  }: OptimizeOptions<S> = {},
): Promise<void> {
  if (calling.has(study))
    throw new UserError(
      `study "${study.name}": its objective, or onTrial, cannot call optimize on the study itself`,
    );
  if (typeof objective !== 'function')
    throw new UserError(`objective: expected a function of a trial, got ${shown(objective)}`);
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new UserError(`concurrency: expected an integer from 1 up, got ${concurrency}`, { concurrency });
  }
  if (trials !== Number.POSITIVE_INFINITY && !(Number.isInteger(trials) && trials >= 0))
    throw new UserError(`trials: expected an integer from 0 up, got ${shown(trials)}`, { trials });
  if (typeof timeout !== 'number' || !(timeout >= 0))
    throw new UserError(`timeout: expected seconds from 0 up, got ${shown(timeout)}`, { timeout });
  const end = Date.now() + timeout * 1000;
  const loop = study.begin();
  let remaining = trials;
  let failed: { error: unknown } | undefined;
  const goesOn = () => remaining > 0 && !failed && !loop.stopped && !signal?.aborted && Date.now() < end;

  const worker = async () => {
    while (goesOn()) {
      remaining--;
      try {
        const trial = await study.ask();
        const stored = await run(study, trial, objective, catches);
        if (stored && onTrial) await withoutNesting(study, () => onTrial(stored, study));
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, trials) }, worker));
  if (failed) throw failed.error;
}

/** The studies whose objective or callback is on the stack. */
const calling = new WeakSet<Optimizable>();

function withoutNesting<T>(study: Optimizable, call: () => T): T {
  calling.add(study);
  try {
    return call();
  } finally {
    calling.delete(study);
  }
}

async function run(
  study: Optimizable,
  trial: Trial,
  objective: Objective,
  catches: OptimizeOptions['catches'],
): Promise<FrozenTrial | undefined> {
  let values: number | readonly number[] | null = null;
  try {
    values = await withoutNesting(study, () => objective(trial));
  } catch (error) {
    if (error instanceof TrialPruned)
      return outcomeOf(study, () => study.tell(trial, null, { state: 'PRUNED' }));
    const stored = await outcomeOf(study, () =>
      study.tell(trial, null, { state: 'FAIL', reason: reasonOf(error) }),
    );
    if (!catches?.(error)) throw error;
    return stored;
  }
  return outcomeOf(study, () => study.tell(trial, values));
}

/** A trial that was found stale while it ran is superseded by its retry, which is no reason to stop. */
async function outcomeOf(
  study: Optimizable,
  tell: () => Promise<FrozenTrial>,
): Promise<FrozenTrial | undefined> {
  try {
    return await tell();
  } catch (error) {
    if (!(error instanceof TrialEndedError)) throw error;
    study.warn('trial', error.message);
    return undefined;
  }
}
