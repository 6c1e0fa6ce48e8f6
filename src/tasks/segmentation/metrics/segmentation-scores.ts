import type { Scores } from '../../../events/scores.js';

/** Scores on a split. `softDice` and `softIou` are the soft, inverse-frequency-weighted means over batches. */
export type SegmentationScores = {
  readonly loss: number;
  readonly softDice: number;
  readonly softIou: number;
  /** Hard, over the whole split, per class; null where a class occurs in neither target nor prediction. */
  readonly dice: readonly (number | null)[];
  readonly iou: readonly (number | null)[];
  readonly miou: number;
  readonly accuracy: number;
  /** [target][prediction] in pixels. */
  readonly confusion: readonly (readonly number[])[];
};

/** Scores of an event, for code that knows them to be those of a segmentation. */
export function segmentationScores(scores: Scores): SegmentationScores {
  return scores as SegmentationScores;
}
