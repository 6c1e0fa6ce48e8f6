import { UserError } from '../../../base/errors.js';
import { type Random, randomStream } from '../../../random/random-stream.js';
import { drafted } from '../../pixels/draft.js';
import { channelsOf, copied, type Values } from '../../pixels/values.js';
import type { Item, Sample, SamplePlan } from '../../types.js';
import { checkMixer, type MaskedColours, type Mixed, type Mixer, type Part } from './mixer.js';

/** A sample to load, and what is mixed into it. */
export interface MixPlan<I extends Item> {
  /** The sample's own plan, then those of its partners. */
  readonly plans: readonly SamplePlan<I>[];
  readonly steps: readonly MixStep[];
}

interface MixStep {
  readonly mixer: Mixer;
  /** Continues after the draws of the partners. */
  readonly random: Random;
}

/**
 * Draws what is mixed into a planned sample: a pure function of the plan, the items and the mixers.
 *
 * Each mixer draws from its own stream, keyed by (seed, its place and name, epoch, index). A partner's plan is that of
 * its own turn in this epoch, so that it is augmented as it is there.
 *
 * @throws UserError where the plan's index is another item's.
 */
export function mixPlan<I extends Item>(
  plan: SamplePlan<I>,
  items: readonly I[],
  mixers: readonly Mixer[],
): MixPlan<I> {
  const { seed, epoch, index } = plan;
  if (items[index]?.stem !== plan.item.stem)
    throw new UserError(
      `mixSamples: expected the items that were planned, got "${items[index]?.stem}" at ${index} for "${plan.item.stem}"`,
      { index },
    );
  const plans = [plan];
  const steps: MixStep[] = [];
  mixers.forEach((mixer, place) => {
    const random = randomStream(seed, 'mix', place, mixer.name, epoch, index);
    if (random() >= mixer.p) return;
    for (let i = 0; i < mixer.partners; i++) {
      const partner = other(random, index, items.length);
      plans.push({ item: items[partner]!, seed, epoch, index: partner });
    }
    steps.push({ mixer, random });
  });
  return { plans, steps };
}

/** A random index that is another one, where there is one. */
function other(random: Random, index: number, count: number): number {
  if (count === 1) return 0;
  const place = Math.floor(random() * (count - 1));
  return place < index ? place : place + 1;
}

/** A sample that can be mixed: bytes, or 16-bit values that its type does not tell from them, with a mask or without. */
export type Mixable = Sample<Item> & { readonly mask?: Uint8Array };

/**
 * Mixes loaded samples, which are those of the plan in its order, into the first one; none of them is changed.
 *
 * @throws UserError for normalised samples, for samples of several sizes, and for masks that a mixer does not take.
 */
export function mixedSample<S extends Mixable>(
  { steps }: Pick<MixPlan<Item>, 'steps'>,
  samples: readonly S[],
): S & Mixed {
  const [own, ...partners] = samples as readonly [S, ...S[]];
  if (steps.length === 0) return own;
  samples.forEach((sample) => checkMixable(sample, own));
  steps.forEach(({ mixer }) => checkValues(mixer, own));
  const { width, height } = own;
  const picture: MaskedColours = {
    width,
    height,
    image: copied(own.image),
    ...(own.mask && { mask: new Uint8Array(own.mask) }),
  };
  let parts: readonly Part[] = [{ plan: own.plan, share: 1 }];
  let taken = 0;
  for (const { mixer, random } of steps) {
    checkMixer(mixer, picture.mask !== undefined);
    const others = partners.slice(taken, (taken += mixer.partners));
    const [left = 1, ...shares] = mixer.mix(picture, others, random);
    parts = [
      ...parts.map(({ plan, share }) => ({ plan, share: share * left })),
      ...others.map(({ plan }, i) => ({ plan, share: shares[i] ?? 0 })),
    ];
  }
  const mixed = { ...own, parts: parts.filter(({ share }) => share > 0) };
  return drafted(mixed, { ...picture, edits: [] });
}

function checkValues({ name, deep }: Mixer, { image }: Mixable): void {
  if (deep || image instanceof Uint8Array) return;
  throw new UserError(
    `mixSamples: expected mixers that take 16-bit values of any channels, got ${name}, which needs RGB bytes`,
    { name },
  );
}

function checkMixable(sample: Mixable, own: Mixable): void {
  const image: Values | Float32Array = sample.image;
  if (image instanceof Float32Array)
    throw new UserError(
      'mixSamples: expected bytes, got a normalised image; put normalize(…) after mixSamples(…)',
    );
  if ((sample.mask === undefined) !== (own.mask === undefined))
    throw new UserError('mixSamples: expected samples that all have masks or none, got both');
  if (sample.width !== own.width || sample.height !== own.height)
    throw new UserError(
      `mixSamples: expected samples of one size, got ${own.width}×${own.height} and ${sample.width}×${sample.height}; decode them to one`,
    );
  if (image.length !== own.image.length)
    throw new UserError(
      `mixSamples: expected samples of as many channels each, got ${channelsOf(own)} and ${channelsOf(sample)}`,
    );
}
