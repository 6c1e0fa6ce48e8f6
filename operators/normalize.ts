import { map, type Observable } from 'rxjs';
import { UserError } from '../src/base/errors.js';
import type { Normalization } from '../src/data/images/normalization.js';
import type { Item, Sample } from '../src/data/types.js';

export { IMAGENET, type Normalization } from '../src/data/images/normalization.js';

/** A sample as a model takes it: its image as floats. */
export type Normalized<S> = Omit<S, 'image'> & { readonly image: Float32Array };

/**
 * Converts bytes to the floats that the model expects: (byte / 255 − mean) / std, channel by channel.
 *
 * @throws UserError for a mean or deviation that is not three numbers, and for a sample that is normalised already.
 * @example
 * from(plan.samples).pipe(decode(224), normalize(IMAGENET), batch(plan));
 */
export function normalize({
  mean,
  std,
}: Normalization): <S extends Sample<Item>>(samples$: Observable<S>) => Observable<Normalized<S>> {
  const numbers = (values: readonly number[]) => values.length === 3 && values.every(Number.isFinite);
  if (!numbers(mean) || !numbers(std) || !std.every((deviation) => deviation > 0))
    throw new UserError(
      `normalize: expected a mean and a deviation above 0 for red, green and blue, got [${mean}] and [${std}]`,
      { mean, std },
    );
  const tables = [0, 1, 2].map((c) =>
    Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - mean[c]!) / std[c]!),
  );
  const [red, green, blue] = tables as [Float32Array, Float32Array, Float32Array];
  const floatsOf = (image: Uint8Array) => {
    if (!(image instanceof Uint8Array))
      throw new UserError('normalize: expected bytes, got a normalised image; normalise once');
    const floats = new Float32Array(image.length);
    for (let i = 0; i < image.length; i += 3) {
      floats[i] = red[image[i]!]!;
      floats[i + 1] = green[image[i + 1]!]!;
      floats[i + 2] = blue[image[i + 2]!]!;
    }
    return floats;
  };
  return (samples$) => samples$.pipe(map((sample) => ({ ...sample, image: floatsOf(sample.image) })));
}
