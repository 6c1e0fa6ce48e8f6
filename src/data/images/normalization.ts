/** A model's input normalization: (pixel / 255 − mean) / std, by channel. */
export interface Normalization {
  /** By channel: red, green, blue. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The statistics of ImageNet's pixels, which most pretrained models expect. */
export const IMAGENET: Normalization = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** A model's normalization, with what is asked for in its place. Default where neither says: ImageNet's. */
export function normalizationOf(
  { normalization = IMAGENET }: { readonly normalization?: Normalization | undefined },
  asked: Partial<Normalization> = {},
): Normalization {
  const { mean = normalization.mean, std = normalization.std } = asked;
  return { mean, std };
}
