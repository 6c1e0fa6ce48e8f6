import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { tensor1d, tensor2d } from '../../base/tfjs-core.js';
import type { Mixed } from '../../data/images/mixing/mixer.js';
import type { Sample } from '../../data/types.js';
import type { LabelledImage } from './labelled-image.js';

/** Labels [batch], or each class's share [batch, classes]. */
export type Labels = Tensor1D | Tensor2D;

/** A sample with the label, or the shares of labels, that it trains on. */
export type Labelled = Sample<LabelledImage, Float32Array> & Mixed;

/**
 * The labels of samples as one tensor: int32 [batch].
 *
 * @see softLabelTensor for samples that were mixed
 * @throws UserError for a sample that was mixed of several labels.
 * @example
 * const images = await lastValueFrom(imageFolders('data/breeds'));
 * const labelled = batchPlans(images, { batchSize: 8, seed: 42 });
 * prefetch(labelled, (one) => from(one.samples).pipe(decode(224), normalize(IMAGENET), batch(one, labelTensor)), { ahead: 1 });
 */
export function labelTensor(samples: readonly Labelled[]): Tensor1D {
  for (const { plan, parts = [] } of samples)
    if (parts.some((part) => labelOf(part.plan) !== plan.item.label))
      throw new UserError(
        `batch: expected samples of one label each, got "${plan.item.stem}" mixed with others; use softLabelTensor(classes)`,
      );
  return tensor1d(
    samples.map(({ plan }) => plan.item.label),
    'int32',
  );
}

/**
 * The share of each class in each sample: float32 [batch, classes]; those of a sample sum to one. For `mixSamples`, and
 * for losses that take shares, as `labelCrossEntropy` does.
 *
 * @throws UserError for a label that is no class.
 * @example
 * const half = (stem: string, label: number) => ({ plan: { item: { stem, image: '', className: '', label }, seed: 1, epoch: 1, index: label }, share: 0.5 });
 * const parts = [half('a', 0), half('b', 2)];
 * const sample = { plan: parts[0]!.plan, width: 1, height: 1, image: new Float32Array(3), parts };
 * const shares = softLabelTensor(3)([sample]);
 * [...shares.dataSync()]; // => [0.5, 0, 0.5]
 * shares.dispose();
 */
export function softLabelTensor(classes: number): (samples: readonly Labelled[]) => Tensor2D {
  return (samples) => {
    const shares = new Float32Array(samples.length * classes);
    samples.forEach((sample, i) => {
      for (const { plan, share } of sample.parts ?? [{ plan: sample.plan, share: 1 }]) {
        const label = labelOf(plan);
        if (!(label >= 0 && label < classes))
          throw new UserError(`labels: expected the classes 0 to ${classes - 1}, got ${label}`, { label });
        shares[i * classes + label]! += share;
      }
    });
    return tensor2d(shares, [samples.length, classes]);
  };
}

/** Samples are mixed with others of one data set, whose items have labels. */
function labelOf({ item }: { readonly item: object }): number {
  return (item as LabelledImage).label;
}
