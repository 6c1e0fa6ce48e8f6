import { join } from 'node:path';
import type { MonoTypeOperatorFunction } from 'rxjs';
import { logTo } from '../../operators/log-to.js';
import type { Event } from '../events/event.js';
import type { LoggedRun, Logger, LoggerFor } from '../loggers/logger.js';
import { loggers } from '../loggers/loggers.js';
import type { Trial } from '../study/trial.js';

/**
 * Sends each trial of a study to the loggers of these names, as a run `<study>_<number>` of the study with its logs in
 * `<dir>/trials/<number>`. Stands after `report` and `prune`: a trial that is pruned was stopped.
 *
 * A logger that fails is left out of the later trials, too, so that a broken one costs a search one warning.
 */
export function trialLogs(
  dir: string,
  names: readonly string[] = [],
): (trial: Trial) => MonoTypeOperatorFunction<Event> {
  const failed = new Set<string>();
  return (trial) => {
    const study = { name: trial.study.name, trial: trial.number };
    const run: LoggedRun = { logs: join(dir, 'trials', String(trial.number)), study };
    const name = `${study.name}_${study.trial}`;
    const sound = names.filter((logger) => !failed.has(logger));
    return logTo(run, ...sound.map((logger) => ofTrial(logger, name, () => failed.add(logger))));
  };
}

/** A logger as a trial's stream needs it: it hears the run under the trial's name, from the `run` event on. */
function ofTrial(logger: string, name: string, fails: () => void): LoggerFor {
  return (run) => {
    const inner: Logger = loggers.get(logger)(run);
    let isBegun = false;
    const watched = async (work: () => void | Promise<void>) => {
      try {
        await work();
      } catch (error) {
        fails();
        throw error;
      }
    };
    return {
      name: inner.name,
      ...(inner.patience !== undefined && { patience: inner.patience }),
      next: async (event) => {
        isBegun ||= event.type === 'run';
        const heard = event.type === 'run' ? { ...event, run: name } : event;
        if (isBegun) await watched(() => inner.next(heard));
      },
      close: (end) => watched(() => inner.close?.(end)),
    };
  };
}
