import { UserError } from '../../base/errors.js';
import { readMask } from '../../data/images/image-file.js';
import { nameOf } from '../../data/source.js';
import { IGNORE_INDEX, type Pair } from '../../data/types.js';
import { declaredIds, type MaskIds, toClasses } from './mask-ids.js';

/** Options of `checkMasks`. */
export interface CheckMasksOptions {
  /** The ids that masks store. Default [1, 2, 3], as `decode`'s. */
  readonly ids?: MaskIds;
  /** The number of masks that are read in any case. Default 8. */
  readonly least?: number;
  /** The number of masks that are searched for a class before it counts as missing. Default 200. */
  readonly most?: number;
}

/**
 * Reads some masks before any work is done on them, refuses masks that are certainly wrong, and returns lines for the user
 * about what may be a mistake.
 *
 * It reads a few masks, and goes on until every declared id has been seen, so a sound data set costs a few
 * milliseconds. What is worth a line: a class that occurs nowhere, one class alone, and more than half of the pixels ignored.
 *
 * @throws UserError where nothing but ignored pixels is found in all of them, or one class beside an undeclared 255: such
 *   masks are black and white, and white is ignored under ids such as 0,1.
 */
export async function checkMasks(
  pairs: readonly Pair[],
  { ids = [1, 2, 3], least = 8, most = 200 }: CheckMasksOptions = {},
): Promise<string[]> {
  const declared = declaredIds(ids);
  const expectedClasses = new Set(declared.map(([, k]) => k).filter((k) => k !== IGNORE_INDEX));
  const foundClasses = new Set<number>();
  let [masks, pixels, ignored, white] = [0, 0, 0, 0];
  for (const { mask } of pairs) {
    const several = foundClasses.size >= Math.min(2, expectedClasses.size);
    if (masks >= least && several && (foundClasses.size === expectedClasses.size || masks >= most)) break;
    const { data } = await readMask(mask);
    const counts = new Float64Array(IGNORE_INDEX + 1);
    for (const k of toClasses(data, ids, nameOf(mask))) counts[k]!++;
    for (const k of expectedClasses) if (counts[k]! > 0) foundClasses.add(k);
    for (const id of data) if (id === IGNORE_INDEX) white++;
    masks++;
    pixels += data.length;
    ignored += counts[IGNORE_INDEX]!;
  }
  if (masks === 0) return [];
  if (declared.some(([id]) => id === IGNORE_INDEX)) white = 0;

  const idsOf = (classes: Iterable<number>) =>
    [...classes].map((k) => declared.find(([, classId]) => classId === k)![0]).toSorted((a, b) => a - b);
  const foundIds = idsOf(foundClasses);
  const missing = idsOf([...expectedClasses].filter((k) => !foundClasses.has(k)));
  const scope = `${masks === pairs.length ? 'the' : 'the first'} ${masks} masks, from ${nameOf(pairs[0]!.mask)} on`;
  if (foundClasses.size === 0 || (white > 0 && missing.length > 0 && foundClasses.size === 1)) {
    const got =
      white > 0 ? `${[...foundIds, 255].join(' and ')} alone, where 255 is ignored` : 'ignored ids alone';
    const fix =
      white > 0 ? `if 255 is a class, declare it: --mask-ids ${[...foundIds, 255].join()}` : 'see --mask-ids';
    throw new UserError(
      `${scope}: expected the ids ${declared.map(([id]) => id).join()}, got ${got}; ${fix}`,
      { path: nameOf(pairs[0]!.mask), ids: foundIds },
    );
  }
  const lines: string[] = [];
  if (missing.length > 0 && foundClasses.size === 1)
    lines.push(
      `${scope}, hold nothing but the id ${foundIds[0]}: there is only one class to learn; see --mask-ids`,
    );
  else if (missing.length > 0)
    lines.push(
      `${scope}, hold no pixel of the ids ${missing.join()}: such classes are not learned; see --mask-ids`,
    );
  if (ignored > pixels / 2)
    lines.push(
      `${scope}, have ${((100 * ignored) / pixels).toFixed(1)} % of their pixels ignored; see --mask-ids`,
    );
  return lines;
}
