import { UserError } from '../../base/errors.js';
import { IGNORE_INDEX } from '../../data/types.js';

/**
 * The ids that masks store, in the order of the classes: class k is stored as `ids[k]`. Or a map from stored ids to
 * classes, such as { 1: 0, 2: 1, 3: 255 } to ignore the border of a trimap.
 */
export type MaskIds = readonly number[] | Readonly<Record<number, number>>;

/** The most classes: 0 to 254, as 255 marks ignored pixels. */
export const MOST_CLASSES = IGNORE_INDEX;

/** The table's entry for an undeclared id. */
const UNDECLARED = -1;

/** The most undeclared ids in a message. */
const NAMED = 8;

/**
 * The declared ids with their classes. @throws UserError for an id declared twice, and for what is no id or no
 * class.
 */
export function declaredIds(ids: MaskIds): (readonly [id: number, klass: number])[] {
  const declared = Array.isArray(ids)
    ? ids.map((id: number, k) => [id, k] as const)
    : Object.entries(ids).map(([id, k]) => [Number(id), Number(k)] as const);
  if (Array.isArray(ids) && ids.length > MOST_CLASSES)
    throw new UserError(
      `mask ids: expected at most ${MOST_CLASSES} classes, since ${IGNORE_INDEX} marks ignored pixels, got ${ids.length}; merge some in the masks`,
      { classes: ids.length },
    );
  for (const [id, k] of declared) {
    if (!Number.isInteger(id) || id < 0 || id > 65535)
      throw new UserError(`mask ids: expected integers from 0 to 65535, got ${id}`, { id });
    if (!Number.isInteger(k) || k < 0 || k > IGNORE_INDEX)
      throw new UserError(
        `mask ids: expected classes from 0 to ${MOST_CLASSES - 1}, or ${IGNORE_INDEX} for ignored, got ${k} for id ${id}`,
        { id, class: k },
      );
  }
  const twice = declared.find(([id], i) => declared.findIndex(([other]) => other === id) < i);
  if (twice) throw new UserError(`mask ids: expected each id once, got ${twice[0]} twice`, { id: twice[0] });
  return declared;
}

const tables = new WeakMap<MaskIds, Int16Array>();

/** The class of each id from 0 to 65535, −1 for one that is not declared. @throws UserError as `declaredIds` does. */
export function classTable(ids: MaskIds): Int16Array {
  const known = tables.get(ids);
  if (known) return known;
  const table = new Int16Array(65536).fill(UNDECLARED);
  table[IGNORE_INDEX] = IGNORE_INDEX;
  for (const [id, k] of declaredIds(ids)) table[id] = k;
  tables.set(ids, table);
  return table;
}

/** The number of classes of ids. @throws UserError for a map that leaves out a class, and for fewer than two. */
export function classCount(ids: MaskIds): number {
  const classes = new Set(
    declaredIds(ids)
      .map(([, k]) => k)
      .filter((k) => k !== IGNORE_INDEX),
  );
  const count = classes.size;
  const gap = Array.from({ length: count }, (_, k) => k).find((k) => !classes.has(k));
  if (gap !== undefined)
    throw new UserError(
      `mask ids: expected an id for each class from 0 to ${Math.max(...classes)}, got none for ${gap}`,
      {
        class: gap,
      },
    );
  if (count < 2)
    throw new UserError(`mask ids: expected two classes or more, got ${count}`, { classes: count });
  return count;
}

/** The id that stands for each class where masks are written: the first of those that mean it. */
export function storedIds(ids: MaskIds): number[] {
  const declared = declaredIds(ids);
  return Array.from({ length: classCount(ids) }, (_, k) => declared.find(([, own]) => own === k)![0]);
}

/**
 * Converts stored ids to classes. A stored 255 that is not declared is ignored.
 *
 * @throws UserError for ids that are not declared; it names the file and the ids.
 */
export function toClasses(stored: Uint8Array | Uint16Array, ids: MaskIds, path: string): Uint8Array {
  const table = classTable(ids);
  const classes = new Uint8Array(stored.length);
  const undeclared = new Set<number>();
  for (let i = 0; i < stored.length; i++) {
    const value = table[stored[i]!]!;
    if (value === UNDECLARED) undeclared.add(stored[i]!);
    else classes[i] = value;
  }
  if (undeclared.size === 0) return classes;
  const strays = [...undeclared].toSorted((a, b) => a - b);
  const named =
    strays.slice(0, NAMED).join(', ') + (strays.length > NAMED ? ` and ${strays.length - NAMED} more` : '');
  throw new UserError(
    `${path}: expected the ids ${declaredIds(ids)
      .map(([id]) => id)
      .join(
        ', ',
      )} (or ${IGNORE_INDEX} for ignored), got ${named}; declare ${strays.length > 1 ? 'them' : 'it'} with --mask-ids`,
    { path, id: strays[0], ids: strays },
  );
}
