// Searches hyperparameters of an adapter, by default on the embedded pictures; the best ones are written as a config
// file that the task's training recipe reads. It goes on where it was stopped; started several times with the
// same flags, on one machine or with --storage on many, the processes share the trials, and each ends with the study.
//
//   node recipes/hyperparam-optim.js --lora-type lora --n-trials 20
//   node recipes/train.js --config results/hyperparam-optim/lora/best.yaml
//   node recipes/hyperparam-optim.js --task classification --image-dir data/breeds
//   node recipes/train-classifier.js --config results/hyperparam-optim/classifier_lora/best.yaml

import { join } from 'node:path';
import { type Event, forkPoints, metricOf, progress, useEngine } from 'millrace';
import {
  adapterSearch,
  endForks,
  engineOf,
  recipe,
  recordStudyPlugins,
  sayIdle,
  searchedTasks,
  searchFlags,
  searchStudy,
  studyPlugins,
  trialLogs,
  trialText,
  tryFolder,
  withDashboard,
  writeFileAtomic,
} from 'millrace/recipe';
import { writeStudyPlots } from 'millrace/report';
import { prune, report, type Study, type Trial, trials } from 'millrace/study';
import { concat, defer, finalize, identity, mergeMap, tap } from 'rxjs';
import { stringify } from 'yaml';

recipe({
  description:
    'Searches rank, alpha, weight decay and learning rates of an adapter, for segmentation or classification.',
  continues: 'the same command continues the search',
  plugins: studyPlugins,
  flags: searchFlags,
  run: async ({ dashboard, task: taskName, backboneFrozen, storage, studyName, nTrials, ...rest }) => {
    const { optimizeFor, sampler, concurrency, timeout, heartbeat, maxRetries, outputDir, ...others } = rest;
    const { forks: forking, forkGib, ...more } = others;
    const {
      pruner,
      thresholdLower,
      thresholdUpper,
      prunerPatience,
      prunerMinDelta,
      wrappedPruner,
      ...flags
    } = more;
    const pruning = { pruner, thresholdLower, thresholdUpper, prunerPatience, prunerMinDelta, wrappedPruner };
    const headAlone = backboneFrozen && !flags.freezeEpochs;
    const settings = { ...flags, mode: headAlone ? ('head' as const) : flags.mode };
    const searched = searchedTasks.get(taskName);
    await tryFolder(outputDir);
    if (settings.cache === 'disk') await tryFolder(settings.cacheDir);
    const engine = await useEngine(...engineOf(settings));
    const task = await searched.open({ ...settings, optimizeFor });
    process.stderr.write(`${engine.name}: ${engine.why}\n`);
    process.stderr.write(`--optimize-for ${optimizeFor}: ${searched.texts[optimizeFor]}\n`);
    if (headAlone)
      process.stderr.write(
        '--backbone-frozen: the head trains alone; upstream unfreezes: --freeze-epochs 2,5,10\n',
      );

    const search = adapterSearch(settings, task.hiddenSize);
    const asStudy = { task: taskName, optimizeFor, storage, studyName, sampler, heartbeat, maxRetries };
    const study = await searchStudy({ ...settings, ...asStudy, ...pruning }, search.space);
    await recordStudyPlugins(study, settings.plugin);
    // The first trial is about what the training recipe does by itself: the best one is no worse. A grid has it anyway.
    if (sampler !== 'grid') await study.enqueueTrial(search.first, { ifEmpty: true });

    const dir = join(outputDir, study.name);
    const forks = forking ? forkPoints(join(dir, 'forks'), { maxBytes: forkGib * 2 ** 30 }) : undefined;
    const logged = trialLogs(dir, settings.logger);
    const scoreOf = (event: Event) =>
      event.type === 'validation' ? metricOf(event.scores, optimizeFor) : undefined;
    const training = (trial: Trial) =>
      defer(() => task.train({ ...settings, freezeEpochs: undefined, ...search.suggest(trial) }, forks)).pipe(
        report(trial, scoreOf, { retry: true }),
        prune(trial),
        logged(trial),
      );

    const search$ = trials(study, undefined, { total: nTrials, concurrency, timeout }).pipe(
      mergeMap(training, concurrency),
      sayIdle(study, nTrials),
      concurrency === 1 ? progress({ metric: optimizeFor }) : identity,
      tap(printTrialEnd),
    );
    const closing$ = defer(async () => {
      const best = await study.bestTrial();
      await endForks(forks, study);
      await writeBest(dir, { ...settings, ...search.chosen(best.params) }, study);
      process.stdout.write(`best: ${trialText(best)}wrote ${dir}: best.yaml, plots\n`);
    });
    return concat(search$, closing$).pipe(
      withDashboard(dashboard, { logs: outputDir, storage }),
      finalize(() => task.dispose()),
      finalize(() => setImmediate(() => void study.close())),
    );
  },
});

async function writeBest(dir: string, settings: object, study: Study): Promise<void> {
  await writeFileAtomic(join(dir, 'best.yaml'), stringify(settings));
  await writeStudyPlots(dir, study);
}

function printTrialEnd(event: Event): void {
  if (event.type === 'trial' && event.state !== 'RUNNING') process.stdout.write(trialText(event));
}
