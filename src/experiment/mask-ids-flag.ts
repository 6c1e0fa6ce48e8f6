import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { IGNORE_INDEX } from '../data/types.js';
import { classCount, type MaskIds, MOST_CLASSES } from '../tasks/segmentation/mask-ids.js';

const ID = z.int().min(0).max(65535);
const WANTED =
  'expected ids in the order of the classes, such as 0,255, or id:class pairs, such as 0:0,1:1,2:1,11:ignore';

/**
 * The ids of masks: a list in the order of the classes, or pairs `id:class`, in which a class may be `ignore`; a file may
 * also have `{ 0: 0, 11: ignore }`. A list stays a list and pairs become a map, as runs record them.
 */
export const maskIdsFlag = z
  .union([z.array(z.union([ID, z.string()])), z.record(z.string(), z.union([z.int(), z.string()]))], {
    error: () => WANTED,
  })
  .transform((value, context): MaskIds => {
    const fail = (message: string) => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    const ids = Array.isArray(value) ? listOrMap(value) : mapOf(Object.entries(value));
    if (typeof ids === 'string') return fail(ids);
    if (Array.isArray(ids)) {
      if (ids.length < 2) return fail('expected two ids or more');
      if (new Set(ids).size < ids.length) return fail('expected each id once');
      if (ids.length > MOST_CLASSES)
        return fail(`expected at most ${MOST_CLASSES} ids, since ${IGNORE_INDEX} marks ignored pixels`);
    }
    try {
      classCount(ids);
    } catch (error) {
      if (error instanceof UserError) return fail(error.message.replace(/^mask ids: /, ''));
      throw error;
    }
    return ids;
  })
  .default([1, 2, 3])
  .meta({
    single: true,
    expects: 'ids from 0 to 65535, or id:class pairs',
    description:
      'the ids that masks store, in the order of the classes; or id:class pairs that merge ids and ignore some, 0:0,1:1,2:1,11:ignore; default: those of --mask-palette, else 1,2,3',
  });

/** A list of ids, or the map that its pairs `id:class` make; a text says what is wrong. */
function listOrMap(value: readonly (number | string)[]): MaskIds | string {
  if (value.every((id) => typeof id === 'number')) return value;
  const pairs = value.map((text) =>
    String(text)
      .split(':')
      .map((part) => part.trim()),
  );
  return pairs.every((pair) => pair.length === 2) ? mapOf(pairs as [string, string][]) : WANTED;
}

function mapOf(pairs: readonly (readonly [string, number | string])[]): MaskIds | string {
  const map: Record<number, number> = {};
  for (const [key, value] of pairs) {
    const id = /^\d+$/.test(key) ? ID.safeParse(Number(key)).data : undefined;
    const k = /^ignored?$/i.test(String(value))
      ? IGNORE_INDEX
      : /^\d+$/.test(String(value))
        ? Number(value)
        : undefined;
    if (id === undefined || k === undefined) return WANTED;
    if (id in map) return `expected each id once, with ${id} twice`;
    map[id] = k;
  }
  return map;
}
