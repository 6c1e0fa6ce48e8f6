import { map, type Observable } from 'rxjs';
import { UserError } from '../src/base/errors.js';
import type { Normalization } from '../src/data/images/normalization.js';
import { drafted, draftOf } from '../src/data/pixels/draft.js';
import { normalized, normalTables } from '../src/data/pixels/normal-tables.js';
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
  const tables = normalTables({ mean, std });
  return (samples$) => samples$.pipe(map((sample) => normalizedSample(sample, tables)));
}

function normalizedSample<S extends Sample<Item>>(sample: S, tables: Float32Array): Normalized<S> {
  const draft = draftOf(sample);
  if (draft && !draft.tables) return drafted(sample, { ...draft, tables });
  if (!(sample.image instanceof Uint8Array))
    throw new UserError('normalize: expected bytes, got a normalised image; normalise once');
  return { ...sample, image: normalized(sample.image, tables) };
}
