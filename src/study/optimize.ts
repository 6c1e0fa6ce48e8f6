import { UserError } from '../errors.js';
import type { FrozenTrial } from './frozen-trial.js';
import type { Study } from './study.js';
import { type Trial, TrialPruned } from './trial.js';

export interface OptimizeOptions {
  /** How many trials this call runs; without a limit until `timeout`, `study.stop()` or `signal`. */
  readonly trials?: number;
  /** Seconds after which no further trial begins. */
  readonly timeout?: number;
  /** How many run at the same time in this process, 1 by default. */
  readonly concurrency?: number;
  /** Errors of the objective that make its trial FAIL and let the rest go on; others also end the call. */
  readonly catches?: (error: unknown) => boolean;
  /** Told each trial as stored, as Optuna's callbacks are. */
  readonly onTrial?: (trial: FrozenTrial, study: Study) => void;
  readonly signal?: AbortSignal;
}

/** What a trial is worth: a value, or one for each direction. */
export type Objective = (trial: Trial) => number | readonly number[] | Promise<number | readonly number[]>;

/**
 * Runs an objective for trial after trial: Optuna's `study.optimize`.
 *
 * A value makes a trial COMPLETE, NaN or a wrong number of values FAIL, `TrialPruned` PRUNED, another error FAIL
 * with its message. A trial that another process found stale is passed over with a warning.
 *
 * @example
 * await study.optimize((trial) => (trial.suggestFloat('x', -10, 10) - 2) ** 2, { trials: 100 });
 */
export async function optimize(
  study: Study,
  objective: Objective,
  {
    trials = Number.POSITIVE_INFINITY,
    timeout,
    concurrency = 1,
    catches,
    onTrial,
    signal,
  }: OptimizeOptions = {},
): Promise<void> {
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new UserError(`concurrency: expected an integer from 1 up, got ${concurrency}`, { concurrency });
  }
  const end = timeout === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeout * 1000;
  study.restart();
  let left = trials;
  let failed: { error: unknown } | undefined;
  const goesOn = () => left > 0 && !failed && !study.stopped && !signal?.aborted && Date.now() < end;

  const worker = async () => {
    while (goesOn()) {
      left--;
      try {
        const trial = await study.ask();
        const stored = await run(study, trial, objective, catches);
        if (stored) onTrial?.(stored, study);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, trials) }, worker));
  if (failed) throw failed.error;
}

async function run(
  study: Study,
  trial: Trial,
  objective: Objective,
  catches: OptimizeOptions['catches'],
): Promise<FrozenTrial | undefined> {
  let values: number | readonly number[] | null = null;
  try {
    values = await objective(trial);
  } catch (error) {
    if (error instanceof TrialPruned)
      return told(study, trial, () => study.tell(trial, null, { state: 'PRUNED' }));
    const reason = error instanceof Error ? error.message : String(error);
    const stored = await told(study, trial, () => study.tell(trial, null, { state: 'FAIL', reason }));
    if (!catches?.(error)) throw error;
    return stored;
  }
  return told(study, trial, () => study.tell(trial, values));
}

/** A trial that was found stale while it ran is lost to its retry, which is nothing to stop for. */
async function told(
  study: Study,
  trial: Trial,
  tell: () => Promise<FrozenTrial>,
): Promise<FrozenTrial | undefined> {
  try {
    return await tell();
  } catch (error) {
    if (!(error instanceof UserError) || !trial.told) throw error;
    study.warn('trial', error.message);
    return undefined;
  }
}
