import { concat, concatMap, defer, EMPTY, from, map, type Observable, type OperatorFunction, of } from 'rxjs';
import { UserError } from '../src/base/errors.js';
import { checkChances } from '../src/data/images/augmentations/augmentation.js';
import { type Mixable, type MixPlan, mixedSample, mixPlan } from '../src/data/images/mixing/mix-plans.js';
import type { Mixed, Mixer } from '../src/data/images/mixing/mixer.js';
import { rendered } from '../src/data/pixels/rendered.js';
import type { Item, SamplePlan } from '../src/data/types.js';

/**
 * Loads planned samples and mixes others of the data set into them: mixup, CutMix, ClassMix, copy-paste, mosaic.
 *
 * The partners of a sample are planned with it, from (seed, epoch, index), and loaded by the same `load`: with them a
 * batch is the same whatever its size, the concurrency, or the position at which a run resumes. A mixed sample says
 * what it is made of (`parts`), from which `softLabelTensor` makes targets. Stands before `normalize`.
 *
 * @param mixers applied in order, each with its own probability
 * @param items those that were planned: of the training split
 * @param load gives one sample for each plan, in order
 * @see augment for changes of one sample
 * @throws UserError for a probability that is not from 0 to 1, for other items than those that were planned, and where `load` leaves a sample out.
 * @example
 * const changed = (one: BatchPlan) =>
 *   from(one.samples).pipe(
 *     mixSamples([cutMix()], train, pipe(decode(224), augment(horizontalFlip()))),
 *     normalize(IMAGENET),
 *     batch(one),
 *   );
 */
export function mixSamples<I extends Item, S extends Mixable>(
  mixers: readonly Mixer[],
  items: readonly I[],
  load: OperatorFunction<SamplePlan<I>, S>,
): OperatorFunction<SamplePlan<I>, S & Mixed> {
  checkChances('mixSamples', mixers);
  if (mixers.length === 0) return load;
  return (plans$) =>
    defer(() => {
      const groups = new Groups<I, S>();
      return concat(
        plans$.pipe(
          concatMap((plan) => from(groups.begin(mixPlan(plan, items, mixers)))),
          load,
          concatMap((sample) => groups.add(sample)),
        ),
        defer(() => groups.end()),
      );
    });
}

/** The samples that are loaded, gathered with their partners. */
class Groups<I extends Item, S extends Mixable> {
  /** In the order of their samples, which are loaded after they are planned. */
  readonly #planned: MixPlan<I>[] = [];
  #samples: S[] = [];

  begin(plan: MixPlan<I>): readonly SamplePlan<I>[] {
    this.#planned.push(plan);
    return plan.plans;
  }

  add(sample: S): Observable<S & Mixed> {
    const current = this.#planned[0];
    const expected = current?.plans[this.#samples.length];
    if (!current || sample.plan.index !== expected?.index) throw leftOut();
    this.#samples.push(sample);
    if (this.#samples.length < current.plans.length) return EMPTY;
    const samples = this.#samples;
    this.#samples = [];
    this.#planned.shift();
    if (current.steps.length === 0) return of(mixedSample(current, samples));
    return from(Promise.all(samples.map(rendered))).pipe(map((pixels) => mixedSample(current, pixels)));
  }

  end(): Observable<never> {
    if (this.#planned.length > 0) throw leftOut();
    return EMPTY;
  }
}

function leftOut(): UserError {
  return new UserError(
    'mixSamples: expected `load` to give one sample for each plan, in order, got fewer, or others; filter items before they are planned',
  );
}
