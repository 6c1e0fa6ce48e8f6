import type { Size } from '../../../data/images/image-size.js';
import { IGNORE_INDEX } from '../../../data/types.js';
import { meanOf } from '../../../events/metric.js';
import { ConfusionMatrix } from '../../confusion-matrix.js';
import type { Stitched } from '../stitcher.js';
import { boundaryOf, outlineOf, pixelsNear } from './contours.js';
import './metric.js';

/** The bins of confidence, of equal width. */
const BINS = 15;

/** Share of a picture's diagonal that the boundary region is wide. */
const BOUNDARY_WIDTH = 0.02;

/**
 * What is counted of one picture: vectors that add up over pictures, and from whose sums the scores of a data set follow.
 */
export type Counts = Readonly<Record<string, readonly number[]>>;

/** The counts of a segmented picture. */
export type PictureCounts = {
  /** [target · classes + prediction], in pixels. */
  readonly confusion: readonly number[];
  /** By class: pixels in both boundary regions, and in either. */
  readonly boundaryShared: readonly number[];
  readonly boundaryAll: readonly number[];
  /** By class: outline pixels of prediction and target that are near the other's outline, and all of them. */
  readonly outlineNear: readonly number[];
  readonly outlineAll: readonly number[];
  /** By bin of confidence: pixels, the sum of their confidences, and how many are right. */
  readonly binPixels: readonly number[];
  readonly binConfidence: readonly number[];
  readonly binRight: readonly number[];
};

/** The scores of a data set at the pictures' own resolution. */
export type PictureScores = {
  /** The mean over classes of `iou`, from one confusion matrix of all pixels. */
  readonly miou: number;
  /** The means over classes of `dice`, `boundaryIou` and `surfaceDice`. */
  readonly meanDice: number;
  readonly meanBoundaryIou: number;
  readonly meanSurfaceDice: number;
  /** The share of pixels that are predicted right. */
  readonly accuracy: number;
  /** Expected calibration error, 0 (confidence is accuracy) to 1. */
  readonly ece: number;
  /** By class; null where a class occurs in neither target nor prediction. */
  readonly iou: readonly (number | null)[];
  readonly dice: readonly (number | null)[];
  readonly boundaryIou: readonly (number | null)[];
  readonly surfaceDice: readonly (number | null)[];
};

/** Options of `pictureCounts`. */
export interface CountOptions {
  readonly classes: number;
  /** Pixels by which outlines may differ. Default 2. */
  readonly tolerance?: number | undefined;
}

/**
 * Counts a picture: its probabilities [height, width, classes] against the classes of its mask, both at the picture's own
 * size. What the mask ignores (255) is in no count, and no contour runs along it; undefined where it ignores every pixel.
 *
 * @example
 * const probabilities = Float32Array.of(0.9, 0.1, 0.2, 0.8);
 * const counts = pictureCounts({ width: 2, height: 1, probabilities }, Uint8Array.of(0, 255), { classes: 2 });
 * counts?.confusion; // => [1, 0, 0, 0]
 */
export function pictureCounts(
  { width, height, probabilities }: Stitched,
  target: Uint8Array,
  { classes, tolerance = 2 }: CountOptions,
): PictureCounts | undefined {
  if (target.every((k) => k === IGNORE_INDEX)) return undefined;
  const size = { width, height };
  const prediction = mostLikely(probabilities, classes);
  const byClass = Array.from({ length: classes }, (_, k) =>
    contourCounts(pixelsOf(prediction, target, k), pixelsOf(target, target, k), { size, tolerance }),
  );
  return {
    confusion: new ConfusionMatrix(classes).add(target, prediction).counts.flat(),
    boundaryShared: byClass.map(({ boundaryShared }) => boundaryShared),
    boundaryAll: byClass.map(({ boundaryAll }) => boundaryAll),
    outlineNear: byClass.map(({ outlineNear }) => outlineNear),
    outlineAll: byClass.map(({ outlineAll }) => outlineAll),
    ...calibrationCounts(probabilities, prediction, target),
  };
}

/**
 * The scores of a data set from the sum of its pictures' counts.
 *
 * - IoU, Dice and accuracy: of the summed confusion matrix.
 * - Boundary IoU of a class: the pixels in both boundary regions over those in either, a region being the pixels of the
 *   class within 2 % of the picture's diagonal of its contour (Cheng et al. 2021).
 * - Surface Dice of a class: the share of the outline pixels of prediction and target that are within the tolerance of the
 *   other's outline (Nikolov et al. 2018, there of surfaces in millimetres).
 * - ECE: Σ over bins of (pixels in it / all pixels) · |accuracy − mean confidence|, over 15 bins of equal width (Guo et al.
 *   2017).
 */
export function pictureScores(sums: Counts, classes: number): PictureScores {
  const { confusion, boundaryShared, boundaryAll, outlineNear, outlineAll, ...bins } = sums as PictureCounts;
  const matrix = ConfusionMatrix.of(
    Array.from({ length: classes }, (_, k) => confusion.slice(k * classes, (k + 1) * classes)),
  );
  const { iou, dice, miou, accuracy } = matrix;
  const boundaryIou = ratios(boundaryShared, boundaryAll);
  const surfaceDice = ratios(outlineNear, outlineAll);
  return {
    miou,
    meanDice: meanOf(dice),
    meanBoundaryIou: meanOf(boundaryIou),
    meanSurfaceDice: meanOf(surfaceDice),
    accuracy,
    ece: calibrationError(bins),
    iou,
    dice,
    boundaryIou,
    surfaceDice,
  };
}

/** The most likely class of each pixel; the first of several. */
export function mostLikely(probabilities: Float32Array, classes: number): Uint8Array {
  return Uint8Array.from({ length: probabilities.length / classes }, (_, pixel) => {
    let best = 0;
    for (let k = 1; k < classes; k++)
      if (probabilities[pixel * classes + k]! > probabilities[pixel * classes + best]!) best = k;
    return best;
  });
}

/** The sum of counts, vector by vector. @throws where there is nothing to add. */
export function sumOfCounts<C extends Counts>(all: readonly C[]): C {
  if (all.length === 0) throw new Error('no counts to add');
  const entries = Object.keys(all[0]!).map((name) => [
    name,
    all[0]![name]!.map((_, i) => all.reduce((sum, counts) => sum + counts[name]![i]!, 0)),
  ]);
  return Object.fromEntries(entries) as C;
}

function pixelsOf(ids: Uint8Array, target: Uint8Array, k: number): Uint8Array {
  return ids.map((id, i) => (target[i] === IGNORE_INDEX ? IGNORE_INDEX : id === k ? 1 : 0));
}

function contourCounts(
  predicted: Uint8Array,
  target: Uint8Array,
  { size, tolerance }: { readonly size: Size; readonly tolerance: number },
) {
  if (!predicted.includes(1) && !target.includes(1))
    return { boundaryShared: 0, boundaryAll: 0, outlineNear: 0, outlineAll: 0 };
  const distance = Math.max(1, Math.round(BOUNDARY_WIDTH * Math.hypot(size.width, size.height)));
  const [own, true_] = [boundaryOf(predicted, size, distance), boundaryOf(target, size, distance)];
  const shared = own.reduce((sum, value, i) => sum + value * true_[i]!, 0);
  const [ownLine, trueLine] = [outlineOf(predicted, size), outlineOf(target, size)];
  return {
    boundaryShared: shared,
    boundaryAll: sumOf(own) + sumOf(true_) - shared,
    outlineNear:
      pixelsNear(ownLine, trueLine, size, tolerance) + pixelsNear(trueLine, ownLine, size, tolerance),
    outlineAll: sumOf(ownLine) + sumOf(trueLine),
  };
}

function calibrationCounts(probabilities: Float32Array, prediction: Uint8Array, target: Uint8Array) {
  const classes = probabilities.length / prediction.length;
  const zeros = () => Array.from({ length: BINS }, () => 0);
  const [binPixels, binConfidence, binRight] = [zeros(), zeros(), zeros()];
  prediction.forEach((k, pixel) => {
    if (target[pixel] === IGNORE_INDEX) return;
    const confidence = probabilities[pixel * classes + k]!;
    const bin = Math.min(BINS - 1, Math.max(0, Math.ceil(confidence * BINS) - 1)) || 0;
    binPixels[bin]!++;
    binConfidence[bin]! += confidence;
    if (target[pixel] === k) binRight[bin]!++;
  });
  return { binPixels, binConfidence, binRight };
}

function calibrationError(bins: Pick<PictureCounts, 'binPixels' | 'binConfidence' | 'binRight'>): number {
  const { binPixels, binConfidence, binRight } = bins;
  const gaps = binPixels.map((_, i) => Math.abs(binRight[i]! - binConfidence[i]!));
  return sumOf(gaps) / Math.max(1, sumOf(binPixels));
}

function ratios(parts: readonly number[], wholes: readonly number[]): (number | null)[] {
  return parts.map((part, k) => (wholes[k] === 0 ? null : part / wholes[k]!));
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}
