import { type Affine, inPixels } from './affine.js';
import type { Edit } from './edit.js';

/** The numbers of each edit after its kind, as `edit` in native/images/src/render.cpp reads them. */
const numbers: {
  readonly [K in Edit['kind']]: (
    edit: Extract<Edit, { kind: K }>,
    width: number,
    height: number,
  ) => readonly number[];
} = {
  warp: ({ map }, width, height): Affine => inPixels(map, width, height),
  map: ({ matrix, lift }) => [...matrix, lift],
  table: ({ table }) => [...table],
  grey: () => [],
  blur: ({ kernel }) => [kernel.length, ...kernel],
  squares: ({ squares, value }) => [squares.length, value, ...squares.flat()],
};

/** The kinds in the order of the addon's enum. */
const KINDS: readonly Edit['kind'][] = ['warp', 'map', 'table', 'grey', 'blur', 'squares'];

/** Edits as the addon takes them. */
export function encodeEdits(edits: readonly Edit[], width: number, height: number): Float64Array {
  const all: number[] = [];
  for (const edit of edits) {
    const own = (numbers[edit.kind] as (edit: Edit, width: number, height: number) => readonly number[])(
      edit,
      width,
      height,
    );
    all.push(KINDS.indexOf(edit.kind), ...own);
  }
  return new Float64Array(all);
}
