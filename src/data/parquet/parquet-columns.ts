import { z } from 'zod';
import { UserError } from '../../base/errors.js';
import { oneLine } from '../../base/printable.js';
import type { Leaf, ParquetFile } from '../../files/parquet/parquet-file.js';

/** What the columns of a Parquet file are to a data set. */
export type ParquetRole = 'image' | 'mask' | 'label' | 'weight' | 'group';
export const PARQUET_ROLES: readonly ParquetRole[] = ['image', 'mask', 'label', 'weight', 'group'];

/** The name of the column of each role. */
export type ParquetColumns = Readonly<Partial<Record<ParquetRole, string>>>;

/** The names that are looked for where a role is not given its column. */
const USUAL: Readonly<Record<ParquetRole, readonly string[]>> = {
  image: ['image', 'img', 'picture', 'pixel_values'],
  mask: ['mask', 'annotation', 'segmentation_mask', 'semantic_mask', 'segmentation', 'label'],
  label: ['label', 'labels', 'class', 'fine_label'],
  weight: ['weight'],
  group: ['group'],
};

/** The values that each role is read from: by role, the path of a column that holds values. */
export type ParquetLeaves = Readonly<Partial<Record<ParquetRole, Leaf>>>;

/**
 * The columns of a file by role: those that are named, or of the usual names.
 *
 * A picture is a column of bytes, or a struct with `bytes` in it, as Hugging Face keeps it.
 *
 * @throws UserError naming the file, for a column that is missing or of another type, and for a role that is needed
 */
export function parquetLeaves(
  file: ParquetFile,
  columns: ParquetColumns,
  needs: readonly ParquetRole[],
): ParquetLeaves {
  const found = PARQUET_ROLES.map((role): [ParquetRole, Leaf | undefined] => {
    const name = columns[role];
    if (name !== undefined) return [role, named(file, role, name)];
    return [role, USUAL[role].map((usual) => leafOf(file, role, usual)).find((leaf) => leaf !== undefined)];
  });
  const leaves: ParquetLeaves = Object.fromEntries(found.filter(([, leaf]) => leaf !== undefined));
  const missing = needs.find((role) => leaves[role] === undefined);
  if (missing === undefined) return leaves;
  throw new UserError(
    `${file.file}: expected a column of ${KINDS[missing]} as the ${missing}, such as ${USUAL[missing][0]}, got ${namesOf(file)}; name it with --columns ${missing}=…`,
    { path: file.file, role: missing },
  );
}

const KINDS: Readonly<Record<ParquetRole, string>> = {
  image: 'pictures',
  mask: 'pictures',
  label: 'texts or whole numbers',
  weight: 'numbers',
  group: 'texts or whole numbers',
};

function named(file: ParquetFile, role: ParquetRole, name: string): Leaf {
  const leaf = leafOf(file, role, name);
  if (leaf) return leaf;
  const there = [...file.leaves.keys()].some((path) => path === name || path.startsWith(`${name}.`));
  throw new UserError(
    `${file.file}: expected a column ${name} of ${KINDS[role]}, got ${there ? `one of ${typeOf(file, name)}` : namesOf(file)}; see --columns`,
    { path: file.file, column: name },
  );
}

/** The column of this name if it suits the role. */
function leafOf(file: ParquetFile, role: ParquetRole, name: string): Leaf | undefined {
  const pictures = KINDS[role] === 'pictures';
  const leaf = (pictures && file.leaves.get(`${name}.bytes`)) || file.leaves.get(name);
  if (!leaf || leaf.schema.some(({ element }) => element.repetition_type === 'REPEATED')) return undefined;
  const { type, converted_type: converted, logical_type: logical } = leaf.schema.at(-1)!.element;
  const text = type === 'BYTE_ARRAY' && (converted === 'UTF8' || logical?.type === 'STRING');
  if (pictures) return type === 'BYTE_ARRAY' && !text ? leaf : undefined;
  const whole = (type === 'INT32' || type === 'INT64' || type === 'BOOLEAN') && !converted?.startsWith('T');
  if (role === 'weight') return whole || type === 'FLOAT' || type === 'DOUBLE' ? leaf : undefined;
  return whole || text ? leaf : undefined;
}

function typeOf(file: ParquetFile, name: string): string {
  const inside = [...file.leaves.values()].find(({ path }) => path === name || path.startsWith(`${name}.`))!;
  const types = inside.schema
    .slice(1)
    .map(({ element: { type, converted_type: converted, repetition_type } }) =>
      [repetition_type === 'REPEATED' && 'a list of', converted ?? type].filter(Boolean).join(' '),
    );
  return types.filter((part) => part !== '').join(', ') || 'another type';
}

function namesOf(file: ParquetFile): string {
  const names = [...new Set([...file.leaves.keys()].map((path) => path.split('.')[0]!))];
  return oneLine(names.slice(0, 12).join(', ')) + (names.length > 12 ? ', …' : '') || 'no columns';
}

const features = z.object({
  info: z.object({ features: z.record(z.string(), z.unknown()) }),
});
const classLabel = z.object({ names: z.array(z.string()) });

/** The names of the classes that Hugging Face notes for a column of numbers; undefined where it notes none. */
export function classNamesIn({ notes }: ParquetFile, column: string): readonly string[] | undefined {
  try {
    const { info } = features.parse(JSON.parse(notes['huggingface'] ?? ''));
    return classLabel.safeParse(info.features[column]).data?.names;
  } catch {
    return undefined;
  }
}
