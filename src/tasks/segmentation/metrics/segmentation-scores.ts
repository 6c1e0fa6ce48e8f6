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

/** The scores in a summary and in score files. */
export type SegmentationTestScores = Omit<SegmentationScores, 'loss' | 'confusion'>;
