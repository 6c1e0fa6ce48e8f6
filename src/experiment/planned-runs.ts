import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { concatMap, defer, finalize, from, type Observable } from 'rxjs';
import { batch } from '../../operators/batch.js';
import { decode } from '../../operators/decode.js';
import type { Lease } from '../../operators/lease.js';
import { normalize } from '../../operators/normalize.js';
import { prefetch } from '../../operators/prefetch.js';
import { say } from '../base/say.js';
import type { Batch } from '../data/batch.js';
import { batchPlans } from '../data/batch-plans.js';
import { type ImageSize, sizeText } from '../data/images/image-size.js';
import type { SampleCache } from '../data/images/sample-cache.js';
import type { BatchPlan, Pair } from '../data/types.js';
import type { Classifier } from '../tasks/classification/classifier.js';
import { labelTensor } from '../tasks/classification/label-tensor.js';
import type { LabelledImage } from '../tasks/classification/labelled-image.js';
import type { Segmenter } from '../tasks/segmentation/segmenter.js';
import { withAdapters } from './adapters-in-place.js';
import { type AskedAdapter, checkAdapters } from './check-adapters.js';
import { maskFormatOf } from './mask-format-of.js';
import { pixelFormatOf } from './pixel-format-of.js';
import type { RunPlaces } from './run-items.js';
import type { ClassificationRun, SegmentationRun } from './run-settings.js';
import { type RunSelection, selectRuns } from './select-runs.js';
import { type TestDomain, type TestDomainsOptions, testDomains } from './test-domains.js';
import {
  isClassification,
  loadTrained,
  type TrainedRun,
  type TrainedRunsOptions,
  trainedRuns,
} from './trained-runs.js';

/** A trained run, and the domains to score it on. */
export interface PlannedRun {
  readonly run: TrainedRun;
  readonly domains: readonly TestDomain[];
}

/**
 * The runs that a command selects, each with its domains. All folders are looked at before anything is computed.
 *
 * @throws UserError for what `trainedRuns`, `selectRuns`, `checkAdapters` and `testDomains` refuse.
 */
export async function plannedRuns(
  config: { readonly modelDir: string } & TrainedRunsOptions &
    RunSelection &
    TestDomainsOptions &
    AskedAdapter & { readonly adapter?: readonly string[] } & Resolution,
): Promise<PlannedRun[]> {
  const runs = selectRuns(await trainedRuns(config.modelDir, config), config);
  for (const note of checkAdapters(runs, config)) say(note);
  for (const note of unreadPlaces(runs, config)) say(note);
  const plans: PlannedRun[] = [];
  for (const run of withAdapters(runs, { adapter: config.adapter ?? [] }))
    plans.push({ run, domains: await testDomains(run, config) });
  return plans;
}

/** At which size the segmentations of runs are scored. */
export interface Resolution {
  /** The size at which segmentations are scored. Default `model`. */
  readonly resolution?: 'model' | 'own' | ImageSize;
}

/** A line for each place, and for a resolution, that no run of the other task reads. */
function unreadPlaces(
  runs: readonly TrainedRun[],
  { maskDir, labels, resolution = 'model' }: RunPlaces & Resolution,
): string[] {
  const [labelled, masked] = [runs.some(isClassification), !runs.every(isClassification)];
  return [
    ...(maskDir !== undefined && !masked ? ['--mask-dir: ignored: all runs are classifications'] : []),
    ...(resolution !== 'model' && !masked
      ? [
          `--resolution ${resolution === 'own' ? 'own' : sizeText(resolution)}: ignored: all runs are classifications`,
        ]
      : []),
    ...(labels !== undefined && !labelled ? ['--labels: ignored: all runs are segmentations'] : []),
  ];
}

/** Loads the model of each run once, and processes its domains one after another. */
export function eachDomain<R>(
  plans: readonly PlannedRun[],
  work: (model: Segmenter | Classifier, run: TrainedRun, domain: TestDomain) => Observable<R>,
  read?: Parameters<typeof loadTrained>[1],
): Observable<R> {
  return from(plans).pipe(
    concatMap(({ run, domains }) =>
      defer(() => loadTrained(run, read)).pipe(
        concatMap((model) =>
          from(domains).pipe(
            concatMap((domain) => work(model, run, domain)),
            finalize(() => model.dispose()),
          ),
        ),
      ),
    ),
  );
}

/** How pictures become batches to score. */
export interface BatchesOptions {
  readonly batchSize: number;
  readonly cache?: SampleCache;
}

/** Batches of unaugmented pictures in order, with the mask ids that a run was trained with. */
export function batchesOf(
  pairs: readonly Pair[],
  model: Segmenter,
  { settings }: TrainedRun<SegmentationRun>,
  { batchSize, cache }: BatchesOptions,
): Observable<Lease<Batch>> {
  const { randomSeed: seed } = settings;
  const load = (plan: BatchPlan) =>
    from(plan.samples).pipe(
      decode(model.imageSize, { ...maskFormatOf(settings), cache, pixels: pixelFormatOf(settings) }),
      normalize(model.normalization),
      batch(plan),
    );
  return prefetch(batchPlans(pairs, { batchSize, seed, shuffle: false }), load, { ahead: 1 });
}

/** Batches of labelled pictures in their order, as they are. */
export function labelledBatchesOf(
  images: readonly LabelledImage[],
  model: Classifier,
  { settings }: TrainedRun<ClassificationRun>,
  { batchSize, cache }: BatchesOptions,
): Observable<Lease<Batch<Tensor, Tensor1D>>> {
  const load = (plan: BatchPlan<LabelledImage>) =>
    from(plan.samples).pipe(
      decode(model.imageSize, { cache, pixels: pixelFormatOf(settings) }),
      normalize(model.normalization),
      batch(plan, labelTensor),
    );
  const seed = settings.randomSeed;
  return prefetch(batchPlans(images, { batchSize, seed, shuffle: false }), load, { ahead: 1 });
}
