// Works on a study until it has its trials; start it as often as you like, on as many machines.
//
//   node recipes/worker.js --objective ./objective.js --study-name branin --storage postgresql://db/studies --n-trials 500
//   srun --ntasks 8 node recipes/worker.js …         # Slurm; in Kubernetes, a Job with parallelism: 8
//
// The objective is a module whose default export maps a trial to its value (or values, one a direction), to a promise
// of it, or to an Observable of {step, value} that are reported, the last one being the result:
//
//   export default (trial) => (trial.suggestFloat('x', -10, 10) - 2) ** 2;
//
// Where it also exports `searchSpace`, such as { x: [-1, 0, 1] }, --sampler grid tries these values.

import { UserError } from 'millrace';
import {
  dashboardFlag,
  loadObjective,
  type ObjectiveReport,
  recipe,
  recordStudyPlugins,
  sayIdle,
  studyFlags,
  studyPlugins,
  studyPruner,
  trialText,
  withDashboard,
} from 'millrace/recipe';
import { createStudy, prune, report, samplers, type Trial, trials } from 'millrace/study';
import { catchError, concat, defer, filter, finalize, mergeMap, tap } from 'rxjs';
import { z } from 'zod';

recipe({
  description: 'Runs trials of a study until it has enough, alongside any number of other workers.',
  continues: 'the same command continues the study',
  plugins: studyPlugins,
  flags: {
    Study: {
      objective: z.string().min(1).describe('module whose default export maps a trial to its value'),
      studyName: z.string().min(1).describe('name of the study; created if it does not exist'),
      directions: z
        .array(z.enum(['minimize', 'maximize']))
        .min(1)
        .default(['minimize'])
        .describe('directions of a new study, one for each value'),
      ...studyFlags,
      randomSeed: z.int().min(0).optional().describe('seed of the sampler; default: a random one'),
      dashboard: dashboardFlag,
      logDir: z.string().min(1).default('logs').describe("logs of the trials' own runs, for --dashboard"),
      catchErrors: z.boolean().default(false).describe('continue after an error of the objective'),
    },
  },
  run: async ({
    objective: path,
    directions,
    heartbeat,
    maxRetries,
    nTrials,
    concurrency,
    timeout,
    ...settings
  }) => {
    const { storage, studyName, sampler, randomSeed: seed, catchErrors } = settings;
    const { objective, searchSpace, explain } = await loadObjective(path);
    const study = await createStudy({
      storage,
      studyName,
      directions,
      loadIfExists: true,
      heartbeatInterval: heartbeat,
      maxRetries,
      sampler: samplers.make(sampler, { seed, workers: 2, searchSpace }),
      pruner: studyPruner(settings),
    });
    await recordStudyPlugins(study, settings.plugin);
    const count = study.directions.length;
    const metrics = study.directions.map((_, i) => ({ values, value }: ObjectiveReport) => {
      if (values && values.length !== count)
        throw new UserError(`--objective ${path}: expected ${count} values, got ${values.length}`);
      return values?.[i] ?? value;
    });
    const run = (trial: Trial) =>
      defer(() => objective(trial)).pipe(
        report(trial, metrics, { step: ({ step }) => step, catches: () => catchErrors, retry: true }),
        count === 1 ? prune<ObjectiveReport>(trial) : tap(),
        filter((event) => 'type' in event),
        filter(({ state }) => state !== 'RUNNING'),
      );

    const mine$ = trials(study, undefined, { total: nTrials, concurrency, timeout }).pipe(
      mergeMap(run, concurrency),
      sayIdle(study, nTrials),
      tap((event) => process.stdout.write(trialText(event))),
    );
    const closing$ = defer(async () => {
      const [ended, failed] = [await study.trials(['COMPLETE', 'PRUNED']), await study.trials(['FAIL'])];
      process.stdout.write(`${study.name}: ${ended.length} trials and ${failed.length} that failed\n`);
    });
    return concat(mine$, closing$).pipe(
      withDashboard(settings.dashboard, { logs: settings.logDir, storage }),
      catchError(explain),
      finalize(() => setImmediate(() => void study.close())),
    );
  },
});
