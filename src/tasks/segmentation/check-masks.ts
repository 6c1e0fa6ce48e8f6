import { UserError } from '../../base/errors.js';
import { nameOf } from '../../data/source.js';
import { IGNORE_INDEX, type Pair } from '../../data/types.js';
import { type MaskFormat, readMaskIds } from './mask-format.js';
import { declaredIds, toClasses } from './mask-ids.js';

/** Options of `checkMasks`. */
export interface CheckMasksOptions extends MaskFormat {
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
 * milliseconds. What is worth a line: a class that occurs nowhere, one class alone, masks of one class
 * each, and more than half of the pixels ignored.
 *
 * @throws UserError where nothing but ignored pixels is found in all of them, or one class beside an undeclared 255: such
 *   masks are black and white, and white is ignored under ids such as 0,1.
 */
export async function checkMasks(
  pairs: readonly Pair[],
  { ids = [1, 2, 3], palette, least = 8, most = 200 }: CheckMasksOptions = {},
): Promise<string[]> {
  const declared = declaredIds(ids);
  const expectedClasses = new Set(declared.map(([, k]) => k).filter((k) => k !== IGNORE_INDEX));
  const foundClasses = new Set<number>();
  const counts = new Map<number, number>();
  let [masks, pixels, even] = [0, 0, 0];
  for (const { mask } of pairs) {
    const several = foundClasses.size >= Math.min(2, expectedClasses.size);
    if (masks >= least && several && (foundClasses.size === expectedClasses.size || masks >= most)) break;
    const { data } = await readMaskIds(mask, palette);
    const own = new Set(toClasses(data, ids, nameOf(mask)));
    own.delete(IGNORE_INDEX);
    for (const k of own) foundClasses.add(k);
    countInto(counts, data);
    masks++;
    if (own.size < 2) even++;
    pixels += data.length;
  }
  if (masks === 0) return [];
  const classOf = new Map(declared);
  const ignoredIds = [...counts.keys()].filter((id) => (classOf.get(id) ?? IGNORE_INDEX) === IGNORE_INDEX);
  const ignored = ignoredIds.reduce((sum, id) => sum + counts.get(id)!, 0);
  const white = classOf.has(IGNORE_INDEX) ? 0 : (counts.get(IGNORE_INDEX) ?? 0);

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
      `${scope}, have ${((100 * ignored) / pixels).toFixed(1)} % of their pixels ignored, those of the ${idsText(ignoredIds)}; see --mask-ids`,
    );
  if (even === masks && masks > 1 && foundClasses.size > 1)
    lines.push(
      `${scope}, are each of one class throughout: they label pictures and no regions; see node recipes/train-classifier.js`,
    );
  return lines;
}

function countInto(counts: Map<number, number>, ids: Uint8Array | Uint16Array): void {
  const own = new Float64Array(ids instanceof Uint8Array ? 256 : 65536);
  for (const id of ids) own[id]!++;
  own.forEach((count, id) => {
    if (count > 0) counts.set(id, (counts.get(id) ?? 0) + count);
  });
}

function idsText(ids: readonly number[]): string {
  return `${ids.length > 1 ? 'ids' : 'id'} ${ids.toSorted((a, b) => a - b).join()}`;
}
