import { UserError } from '../../base/errors.js';
import type { ParquetFile } from '../../files/parquet/parquet-file.js';
import { readColumn } from '../../files/parquet/read-cell.js';
import type { ParquetCell } from '../source.js';
import type { ImageItem } from '../types.js';
import { classNamesIn, type ParquetLeaves, type ParquetRole } from './parquet-columns.js';

/** A row of a Parquet file. */
export interface ParquetItem extends ImageItem {
  readonly image: ParquetCell;
  readonly mask?: ParquetCell;
  /** The name of its class: a text, a number, or the name that Hugging Face notes for the number. */
  readonly className?: string;
  /** Its class as a number: the column's own, or the place of the text among those that occur, sorted. */
  readonly label?: number;
  /** What it belongs to: for `split({ groups })`. */
  readonly group?: string;
  /** How often it is to come, beside others: for `balance`. */
  readonly weight?: number;
}

/** The values of a file's rows that are not pictures. */
export interface ParquetValues {
  readonly className?: readonly (string | undefined)[];
  readonly label?: readonly (number | undefined)[];
  readonly group?: readonly (string | undefined)[];
  readonly weight?: readonly (number | undefined)[];
}

/**
 * Reads labels, groups and weights of all rows of a file.
 *
 * @throws UserError naming file, row group and row, for a number without a name, and a weight below 0
 */
export async function parquetValues(file: ParquetFile, leaves: ParquetLeaves): Promise<ParquetValues> {
  const column = async (role: ParquetRole) => leaves[role] && (await readColumn(file, leaves[role]));
  const [labels, groups, weights] = [await column('label'), await column('group'), await column('weight')];
  const names = leaves.label && classNamesIn(file, leaves.label.path);
  const className = labels?.map((value, row) => {
    if (value === null || !names || typeof value === 'string') return textOf(value);
    const name = names[Number(value)];
    if (name !== undefined) return name;
    // Hugging Face's own sign for a label that is not known.
    if (Number(value) === -1) return undefined;
    throw fault(file, row, `a label from 0 to ${names.length - 1}`, String(value));
  });
  const weight = weights?.map((value, row) => {
    if (value === null) return undefined;
    if (Number(value) >= 0 && Number(value) < Infinity) return Number(value);
    throw fault(file, row, 'a weight from 0 up', String(value));
  });
  return {
    ...(className && { className: className.map((name) => name?.normalize()) }),
    ...(labels && { label: labels.map((value) => numberOf(value)) }),
    ...(groups && { group: groups.map(textOf) }),
    ...(weight && { weight }),
  };
}

/** An error of a row of a file, which is said by its row group. */
export function fault(file: ParquetFile, row: number, expected: string, got: string): UserError {
  let [group, own] = [0, row];
  while (own >= file.groups[group]!.rows) own -= file.groups[group++]!.rows;
  return new UserError(`${file.file}, row group ${group}, row ${own}: expected ${expected}, got ${got}`, {
    path: file.file,
    rowGroup: group,
    row: own,
  });
}

type Value = Awaited<ReturnType<typeof readColumn>>[number];

function textOf(value: Value): string | undefined {
  return value === null ? undefined : String(value);
}

function numberOf(value: Value): number | undefined {
  return typeof value === 'string' || value === null || Number(value) < 0 ? undefined : Number(value);
}
