import { type Affine, inPixels } from './affine.js';
import type { Edit } from './edit.js';
import { type DataMove, isAffine } from './moved.js';

/** The numbers of each edit after its kind, as `edit` in native/images/src/render.cpp reads them. */
const numbers: {
  readonly [K in Edit['kind']]: (
    edit: Extract<Edit, { kind: K }>,
    width: number,
    height: number,
  ) => readonly number[];
} = {
  warp: ({ map }, width, height): Affine => inPixels(map, width, height),
  moves: ({ maps }) => [maps.length, ...maps.flatMap(encodedMove)],
  place: ({ width, height, left, top }) => [width, height, left, top],
  map: ({ matrix, lift }) => [...matrix, lift],
  table: ({ table }) => [...table],
  grey: () => [],
  blur: ({ kernel }) => [kernel.length, ...kernel],
  contrast: ({ factor }) => [factor],
  saturation: ({ factor }) => [factor],
  sharpness: ({ factor }) => [factor],
  autocontrast: () => [],
  equalize: () => [],
  clahe: ({ clip, tiles }) => [clip, tiles],
  hsv: ({ turn, saturation, value }) => [turn, saturation, value],
  noise: ({ deviation, seed }) => [deviation, seed],
  squares: ({ squares, value }) => [squares.length, value, ...squares.flat()],
};

/** A map of `moves`: its kind, as the addon's enum has it, and its numbers. */
function encodedMove(move: DataMove): readonly number[] {
  if (isAffine(move)) return [0, ...move];
  switch (move.kind) {
    case 'projective':
      return [1, ...move.matrix];
    case 'surfaces':
      return [2, move.grid, ...move.across, ...move.down];
    case 'stretch':
      return [3, move.ends[0].length - 1, ...move.ends[0], ...move.ends[1]];
  }
}

/** The kinds in the order of the addon's enum. */
const KINDS = Object.keys(numbers) as readonly Edit['kind'][];

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
