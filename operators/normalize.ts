import { map, type Observable } from 'rxjs';
import { UserError } from '../src/base/errors.js';
import type { Normalization } from '../src/data/images/normalization.js';
import { drafted, draftOf } from '../src/data/pixels/draft.js';
import { normalized, normalTables } from '../src/data/pixels/normal-tables.js';
import { channelsOf, type Values } from '../src/data/pixels/values.js';
import type { Item, Sample } from '../src/data/types.js';

export { IMAGENET, type Normalization } from '../src/data/images/normalization.js';

/** A sample as a model takes it: its image as floats. */
export type Normalized<S> = Omit<S, 'image'> & { readonly image: Float32Array };

/**
 * Converts bytes to the floats that the model expects: (byte / 255 − mean) / std, channel by channel;
 * of 16-bit values (value / 65535 − mean) / std.
 *
 * @throws UserError for a mean or deviation that is not a number a channel, and for a sample that is normalised already.
 * @example
 * from(plan.samples).pipe(decode(224), normalize(IMAGENET), batch(plan));
 */
export function normalize({
  mean,
  std,
}: Normalization): <S extends Sample<Item>>(samples$: Observable<S>) => Observable<Normalized<S>> {
  const numbers = (values: readonly number[]) => values.length > 0 && values.every(Number.isFinite);
  if (
    !numbers(mean) ||
    !numbers(std) ||
    mean.length !== std.length ||
    !std.every((deviation) => deviation > 0)
  )
    throw new UserError(
      `normalize: expected a mean and a deviation above 0 for each channel (red, green and blue), got [${mean}] and [${std}]`,
      { mean, std },
    );
  const made = new Map<8 | 16, Float32Array>();
  const tablesOf = (image: Values): Float32Array => {
    const bits = image instanceof Uint8Array ? 8 : 16;
    const tables = made.get(bits) ?? normalTables({ mean, std }, bits);
    made.set(bits, tables);
    return tables;
  };
  return (samples$) => samples$.pipe(map((sample) => normalizedSample(sample, mean.length, tablesOf)));
}

function normalizedSample<S extends Sample<Item>>(
  sample: S,
  channels: number,
  tablesOf: (image: Values) => Float32Array,
): Normalized<S> {
  const draft = draftOf(sample);
  if (draft && !draft.tables) {
    checkChannels(draft, channels);
    return drafted(sample, { ...draft, tables: tablesOf(draft.image) });
  }
  const image: Values | Float32Array = sample.image;
  if (image instanceof Float32Array)
    throw new UserError('normalize: expected bytes, got a normalised image; normalise once');
  checkChannels({ ...sample, image }, channels);
  return { ...sample, image: normalized(image, tablesOf(image)) };
}

/** @throws UserError for a picture of other channels than there are statistics. */
function checkChannels(picture: Parameters<typeof channelsOf>[0], channels: number): void {
  const own = channelsOf(picture);
  if (own !== channels)
    throw new UserError(
      `normalize: expected pictures of ${channels} channels, as mean and std have numbers, got ${own}`,
      { channels: own },
    );
}
