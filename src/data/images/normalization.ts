/** A model's input normalization: (pixel / 255 − mean) / std, by channel. */
export interface Normalization {
  /** By channel: red, green, blue, or as many as pictures have. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The statistics of ImageNet's pixels, which most pretrained models expect. */
export const IMAGENET: Normalization = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** Statistics of red, green and blue for other channels: repeated in turn, and for one channel their means. */
export function repeatedNormalization({ mean, std }: Normalization, channels: number): Normalization {
  const repeated = (values: readonly number[]) =>
    channels === 1
      ? [values.reduce((a, b) => a + b, 0) / values.length]
      : Array.from({ length: channels }, (_, c) => values[c % values.length]!);
  return mean.length === channels ? { mean, std } : { mean: repeated(mean), std: repeated(std) };
}

/** A model's normalization, with what is asked for in its place. Default where neither says: ImageNet's. */
export function normalizationOf(
  {
    normalization: stated,
    config: { num_channels: channels },
  }: {
    readonly normalization?: Normalization | undefined;
    readonly config: { readonly num_channels: number };
  },
  asked: Partial<Normalization> = {},
): Normalization {
  const normalization = stated ?? repeatedNormalization(IMAGENET, channels);
  const { mean = normalization.mean, std = normalization.std } = asked;
  return { mean, std };
}
