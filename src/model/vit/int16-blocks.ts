import type { Tensor } from '@tensorflow/tfjs-core';
import { sayOnce } from '../../base/say.js';
import { backend, tensor4d, tidy } from '../../base/tfjs-core.js';
import type { Precision } from '../../engine/numbers/precision.js';
import { randomStream } from '../../random/random-stream.js';
import type { Parameter, Parameters } from '../parameters.js';
import type { AdaptableVit } from './adaptable-vit.js';
import { AdaptedMaps } from './adapted-maps.js';
import type { Grid } from './config.js';
import { blockOf } from './trunk-blocks.js';
import { encode } from './vit.js';

/** The largest change of the tokens that int8 may make in one block: 5 %, which docs/notes/onednn.md has figures for. */
const LARGEST_ERROR = 0.05;
/** The most patches along a side of the picture that is tried: the time does not depend on the model's own size. */
const MOST_PATCHES = 14;
const DISCS = 100;

/** The weights of a block, or, without a number, of the patch embedding; and the error that int8 makes in them. */
export interface Int8Error {
  readonly block: number | undefined;
  readonly weights: readonly Parameter[];
  readonly error: number;
}

/**
 * Chooses what an engine in int8 multiplies in int16 all the same: the blocks of a new model, and its patch embedding, of
 * which int8 alone changes the tokens after the last LayerNorm by more than 5 %. A line on standard error names them. In
 * other precisions it does nothing.
 *
 * The choice is made on one drawn picture before anything trains, so that it depends on the pretrained weights and the
 * processor alone: a resumed run, and one that scores or predicts, makes the same.
 */
export function chooseInt16(model: AdaptableVit): void {
  if ((backend() as { readonly precision?: Precision }).precision !== 'int8') return;
  const coarse = int8Errors(model).filter(({ error }) => error > LARGEST_ERROR);
  for (const { weights } of coarse) for (const weight of weights) weight.int16 = true;
  if (coarse.length === 0) return;
  const names = coarse.map(({ block }) => (block === undefined ? 'the patch embedding' : `block ${block}`));
  const line = `int8: in int16 where frozen: ${names.join(', ')}; in int8 each would change the tokens by more than ${100 * LARGEST_ERROR} %`;
  sayOnce(line, line);
}

/**
 * By how much int8 changes the tokens after the last LayerNorm, the size of the difference by that of the tokens, where one
 * block is in int8 and all else in int16: for a new model, without an adapter, on an engine in int8. Of normalised pictures,
 * by default the drawn one.
 */
export function int8Errors({ config, parameters, grid }: AdaptableVit, pictures?: Tensor): Int8Error[] {
  const parts = partsOf(parameters);
  const all = parts.flatMap(({ weights }) => weights);
  const before = all.map(({ int16 }) => int16 ?? false);
  const inputs = pictures ?? drawnPicture(grid, config.patch_size, config.num_channels);
  const project = new AdaptedMaps(parameters).projection();
  const tokens = () =>
    tidy(() => encode(config, parameters, project, inputs).dataSync().slice() as Float32Array);
  const set = (weights: readonly Parameter[], int16: boolean) => {
    for (const weight of weights) weight.int16 = int16;
  };
  try {
    set(all, true);
    const expected = tokens();
    return parts.map((part) => {
      set(part.weights, false);
      const error = relativeError(tokens(), expected);
      set(part.weights, true);
      return { ...part, error };
    });
  } finally {
    all.forEach((weight, i) => {
      weight.int16 = before[i]!;
    });
    if (!pictures) inputs.dispose();
  }
}

/** The weights of the patch embedding and of each block's linear maps. */
function partsOf(parameters: Parameters): Omit<Int8Error, 'error'>[] {
  const parts = new Map<number | undefined, Parameter[]>();
  for (const parameter of parameters) {
    const { name, group, value } = parameter;
    const block = blockOf(name);
    if (group !== 'backbone' || value.rank !== 2 || !(block !== undefined || name === 'patch.weight'))
      continue;
    parts.set(block, [...(parts.get(block) ?? []), parameter]);
  }
  return [...parts].map(([block, weights]) => ({ block, weights }));
}

/**
 * Discs over one another, mostly grey, the largest as wide as the picture: like pictures, and unlike noise, they have
 * even areas as well as edges of all sizes, and it is in even areas that int8 errs most.
 */
function drawnPicture(grid: Grid, patch: number, channels: number): Tensor {
  const [height, width] = [grid.rows, grid.columns].map((n) => Math.min(n, MOST_PATCHES) * patch) as [
    number,
    number,
  ];
  const pixels = new Float32Array(height * width * channels);
  const random = randomStream(0, 'discs');
  for (let i = 0; i < DISCS; i++) {
    const radius = Math.max(width, height) / 2 / (1 + 15 * random());
    const [x, y] = [width * random(), height * random()];
    const grey = 4 * random() - 2;
    const colour = Array.from({ length: channels }, () => grey + 0.1 * random() - 0.05);
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++)
        if ((column - x) ** 2 + (row - y) ** 2 < radius ** 2)
          pixels.set(colour, (row * width + column) * channels);
  }
  return tensor4d(pixels, [1, height, width, channels]);
}

function relativeError(got: Float32Array, expected: Float32Array): number {
  let [difference, size] = [0, 0];
  for (const [i, value] of expected.entries()) {
    difference += (got[i]! - value) ** 2;
    size += value ** 2;
  }
  return Math.sqrt(difference / size);
}
