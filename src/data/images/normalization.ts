/** A model's input normalization: (pixel / 255 − mean) / std, by channel. */
export interface Normalization {
  /** By channel: red, green, blue. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The statistics of ImageNet's pixels, which most pretrained models expect. */
export const IMAGENET: Normalization = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
