// Searches hyperparameters of an adapter, by default on the embedded pictures; the best ones are written as a config
// file that the training recipe of that adapter reads. It goes on where it was stopped; started several times with the
// same flags, on one machine or with --storage on many, the processes share the trials, and each ends with the study.
//
//   node recipes/hyperparam-optim.js --lora-type lora --n-trials 20
//   node recipes/train-lora.js --config results/hyperparam-optim/lora/best.yaml

import { join } from 'node:path';
import {
  adapterFlags,
  adapterNamed,
  adapterSearch,
  augment,
  augmentations,
  type BatchPlan,
  batch,
  batchesPerEpoch,
  batchPlans,
  cacheNamed,
  checkSplits,
  concatLease,
  createStudy,
  dataFlags,
  decode,
  type Event,
  earlyStop,
  engineFlags,
  engineOf,
  guard,
  imageMaskPairs,
  learningRates,
  loadSegmenter,
  lossNamed,
  METRIC_TEXTS,
  METRICS,
  type Metric,
  metricOf,
  modelFlags,
  modeOf,
  nameFlag,
  normalize,
  optimizerNamed,
  percentText,
  prefetch,
  progress,
  prune,
  prunerNamed,
  recipe,
  report,
  runFlags,
  samplerNamed,
  scheduleNamed,
  seededByTrial,
  segmentationMetrics,
  split,
  studyFlags,
  Training,
  type Trial,
  trainingFlags,
  trainStep,
  trials,
  trialText,
  tryFolder,
  UserError,
  useEngine,
  validate,
  writeFileAtomic,
  writeStudyPlots,
} from 'millrace';
import { concat, defer, finalize, from, identity, lastValueFrom, mergeMap, tap } from 'rxjs';
import { stringify } from 'yaml';
import { z } from 'zod';

const { cache, cacheDir, ahead } = runFlags;
const { lr: _lr, lrVitBackbone: _vit, lrSegHead: _head, weightDecay: _decay, ...others } = trainingFlags;
const { freezeEpochs: _freeze, ...training } = others;
const { alpha: _alpha, ...adapter } = adapterFlags;
const targets = adapterFlags.targets.unwrap().optional();

recipe({
  description: 'Searches rank, alpha, weight decay and learning rates of an adapter.',
  flags: {
    Study: {
      loraType: z.enum(['lora', 'serial_lora', 'localized_lora']).default('lora').describe('the adapter'),
      studyName: nameFlag.optional().describe('default: {lora_type}'),
      optimizeFor: z
        .enum(METRICS)
        .default('softDice')
        .describe(
          "the score of the last epoch's validation, by the names of --metric; upstream's dice is softDice",
        ),
      backboneFrozen: z
        .boolean()
        .default(false)
        .describe('train the head alone, without an adapter; with --freeze-epochs, until these are over'),
      freezeEpochs: z
        .array(z.int().min(1))
        .min(1)
        .optional()
        .describe('search for how many epochs the head trains alone at first; upstream: 2,5,10'),
      ...studyFlags,
      outputDir: z
        .string()
        .min(1)
        .default('results/hyperparam-optim')
        .describe('gets <study>/best.yaml and plots'),
    },
    Data: dataFlags,
    Model: modelFlags,
    Adapter: {
      ...adapter,
      targets: targets.describe("the linear maps that are adapted; default: the adapter's own"),
    },
    Training: { ...training, epochs: z.int().min(1).default(10).describe('passes over the training split') },
    Run: { ...engineFlags, ahead, cache, cacheDir },
  },
  run: async ({ optimizeFor, backboneFrozen, storage, studyName, nTrials, ...rest }) => {
    const { sampler, pruner, concurrency, timeout, heartbeat, maxRetries, outputDir, ...given } = rest;
    const headAlone = backboneFrozen && !given.freezeEpochs;
    const settings = { ...given, mode: headAlone ? ('head' as const) : given.mode };
    const { loraType, randomSeed: seed, epochs, batchSize, maskIds, mode, metric, patience } = settings;
    await tryFolder(outputDir);
    if (settings.cache === 'disk') await tryFolder(settings.cacheDir);
    const engine = await useEngine(engineOf(settings), settings);
    process.stderr.write(`${engine.name}: ${engine.why}\n`);
    process.stderr.write(`--optimize-for ${optimizeFor}: ${METRIC_TEXTS[optimizeFor].about}\n`);
    if (headAlone)
      process.stderr.write(
        '--backbone-frozen: the head trains alone; upstream unfreezes: --freeze-epochs 2,5,10\n',
      );

    const { train, validation } = await lastValueFrom(
      imageMaskPairs(settings.imageDir, settings.maskDir, { lists: settings.list }).pipe(
        split({ seed, percentage: settings.dataPercentage, rule: settings.split, shrink: settings.shrink }),
        checkSplits({ ids: maskIds }),
      ),
    );
    if (validation.length === 0)
      throw new UserError('--data-percentage: no picture to validate on; raise it');
    const head = {
      classes: maskIds.length,
      name: settings.head,
      batchNorm: settings.batchNorm,
      dropout: settings.headDropout,
      seed,
    };
    const backbone = await loadSegmenter(settings.modelName, { ...head, imageSize: settings.imageSize });
    const samples = cacheNamed(settings.cache, settings.cacheDir);
    const load = (plan: BatchPlan, changes = augmentations([])) =>
      from(plan.samples).pipe(
        decode(backbone.imageSize, { ids: maskIds, cache: samples }),
        augment(...changes),
        normalize(backbone.normalization),
        batch(plan),
      );
    const inOrder = () =>
      prefetch(batchPlans(validation, { batchSize, seed, shuffle: false }), (plan) => load(plan), {
        ahead: 1,
      });

    const study = await createStudy({
      storage,
      studyName: studyName ?? loraType,
      direction: modeOf(optimizeFor) === 'min' ? 'minimize' : 'maximize',
      loadIfExists: true,
      heartbeatInterval: heartbeat,
      maxRetries,
      sampler: seededByTrial(seed, (own) => samplerNamed(sampler, { seed: own, workers: 2 })),
      pruner: prunerNamed(pruner, { steps: epochs }),
    });
    const what = mode === 'adapters' ? loraType : mode;
    // What trials must have in common to be compared.
    const data = `${percentText(settings.dataPercentage)} of ${settings.imageDir}`;
    const frozen = settings.freezeEpochs ? `, frozen for ${settings.freezeEpochs.join(' or ')} epochs` : '';
    const rates = settings.separateLr ? ', separate rates' : '';
    const searched = `${labelOf(optimizeFor)} of ${what}${rates}${frozen}, ${epochs} epochs on ${data}`;
    const before = searchedBefore((await study.userAttrs())['searched']) ?? searched;
    if (before !== searched)
      throw new UserError(
        `--study-name ${study.name}: expected the search that it began as, ${before}, got ${searched}; give another name`,
      );
    await study.setUserAttr('searched', searched);
    const batches = batchesPerEpoch(train.length, batchSize);
    const search = adapterSearch(settings, backbone.config.hidden_size);
    // The first trial is about what the training recipe does by itself: the best one is no worse.
    await study.enqueueTrial(search.first, { ifEmpty: true });

    const scoreOf = (event: Event) =>
      event.type === 'validation' ? metricOf(event.scores, optimizeFor) : undefined;
    const run = (trial: Trial) =>
      defer(() => {
        const own = { ...settings, freezeEpochs: undefined, ...search.suggest(trial) };
        const model = backbone.sibling(head);
        const { rBlock: blockRank, numBlocksPerRow: blocks, adapterDropout: dropout } = own;
        if (mode === 'adapters')
          model.inject(adapterNamed(loraType, { ...own, blockRank, blocks, dropout }), seed);
        model.train(mode);
        const loss = lossNamed(own.loss);
        const training = new Training({
          model,
          loss,
          optimizer: optimizerNamed(own.optimizer, own),
          schedule: scheduleNamed(own.schedule, { steps: epochs * batches, metric }),
          learningRate: learningRates(own),
          average: own.ema,
          frozenSteps: mode === 'head' ? 0 : (own.freezeEpochs ?? 0) * batches,
          seed,
        });
        const changes = augmentations(own.augment);
        const plans = batchPlans(train, { epochs, batchSize, seed });
        return prefetch(plans, (plan) => load(plan, changes), { ahead: settings.ahead }).pipe(
          concatLease((batch$) =>
            batch$.pipe(
              trainStep(training),
              validate(training, inOrder, {
                every: 'epoch',
                metrics: segmentationMetrics({ classes: maskIds.length, loss }),
              }),
            ),
          ),
          settings.guard ? guard({ memory: training.memory }) : identity,
          patience ? earlyStop({ metric, patience, memory: training.memory }) : identity,
          finalize(() => [training, model].forEach((owner) => owner.dispose())),
        );
      }).pipe(report<Event>(trial, scoreOf, { retry: true }), prune(trial));

    const search$ = trials(study, undefined, { total: nTrials, concurrency, timeout }).pipe(
      mergeMap(run, concurrency),
      concurrency === 1 ? progress({ metric: optimizeFor }) : identity,
      tap(
        (event) =>
          event.type === 'trial' && event.state !== 'RUNNING' && process.stdout.write(trialText(event)),
      ),
    );
    const closing$ = defer(async () => {
      const [best, dir] = [await study.bestTrial(), join(outputDir, study.name)];
      await writeFileAtomic(
        join(dir, 'best.yaml'),
        stringify({ ...settings, ...search.chosen(best.params) }),
      );
      await writeStudyPlots(dir, study);
      process.stdout.write(`best: ${trialText(best)}wrote ${dir}: best.yaml, plots\n`);
    });
    return concat(search$, closing$).pipe(
      finalize(() => backbone.dispose()),
      finalize(() => setImmediate(() => void study.close())),
    );
  },
});

/** What a study was begun for; earlier versions called the soft scores by upstream's names. */
function searchedBefore(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  return text.replace(/^dice of/, 'softDice of').replace(/^iou of/, 'softIou of');
}

/** A metric as a study notes it; `dice` and `iou` alone are the soft ones of an earlier version. */
function labelOf(metric: Metric): string {
  return metric === 'dice' || metric === 'iou' ? `hard ${metric}` : metric;
}
