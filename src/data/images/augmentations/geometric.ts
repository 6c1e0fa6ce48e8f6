import type { Affine } from '../../pixels/affine.js';
import { around, between, type Chance, type Range, type Transform } from './augmentation.js';

/** Mirrors left and right. Default p .5. */
export function horizontalFlip({ p = 0.5 }: Chance = {}): Transform {
  return { name: 'horizontalFlip', p, geometric: () => [-1, 0, 0, 0, 1, 0] };
}

/** Mirrors top and bottom. Default p .5. */
export function verticalFlip({ p = 0.5 }: Chance = {}): Transform {
  return { name: 'verticalFlip', p, geometric: () => [1, 0, 0, 0, -1, 0] };
}

/**
 * Rotates by 0, 90, 180 or 270 degrees, exactly; a picture that is not square by 0 or 180, which keep its shape.
 * Default p 1.
 */
export function rotate90({ p = 1 }: Chance = {}): Transform {
  const turns: readonly Affine[] = [
    [1, 0, 0, 0, 1, 0],
    [0, -1, 0, 1, 0, 0],
    [-1, 0, 0, 0, -1, 0],
    [0, 1, 0, -1, 0, 0],
  ];
  return {
    name: 'rotate90',
    p,
    geometric: (random, aspect) => {
      const turn = Math.floor(random() * 4);
      return turns[aspect === 1 ? turn : turn & 2]!;
    },
  };
}

/** Rotates about the centre by up to `limit` degrees either way. Default 15, p .5. */
export function rotate({ limit = 15, p = 0.5 }: Chance & { readonly limit?: number } = {}): Transform {
  return {
    name: 'rotate',
    p,
    geometric: (random, aspect) => {
      const angle = (around(random, limit) * Math.PI) / 180;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      return [cos, -sin / aspect, 0, sin * aspect, cos, 0];
    },
  };
}

/** Options of `affine`. */
export interface AffineOptions extends Chance {
  /** Factors of enlargement. Default [.9, 1.1]. */
  readonly scale?: Range;
  /** Largest move, as a share of the size, either way. Default .1. */
  readonly translate?: number;
  /** Largest horizontal shear in degrees, either way. Default 0. */
  readonly shear?: number;
}

/** Scales, moves and shears about the centre. Default p .5. */
export function affine(options: AffineOptions = {}): Transform {
  const { scale = [0.9, 1.1], translate = 0.1, shear = 0, p = 0.5 } = options;
  return {
    name: 'affine',
    p,
    geometric: (random, aspect) => {
      const zoom = 1 / between(random, scale);
      const slant = Math.tan((around(random, shear) * Math.PI) / 180);
      return [zoom, (zoom * slant) / aspect, around(random, translate), 0, zoom, around(random, translate)];
    },
  };
}

/** Options of `randomResizedCrop`. */
export interface CropOptions extends Chance {
  /** Share of the area that is kept. Default [.5, 1]. */
  readonly scale?: Range;
  /** Width of the window over its height, as a multiple of the picture's. Default [3/4, 4/3]. */
  readonly ratio?: Range;
}

/** A random window, enlarged to the whole picture (Szegedy et al. 2015, "Going deeper with convolutions"). Default p 1. */
export function randomResizedCrop(options: CropOptions = {}): Transform {
  const { scale = [0.5, 1], ratio = [3 / 4, 4 / 3], p = 1 } = options;
  return {
    name: 'randomResizedCrop',
    p,
    geometric: (random) => {
      const area = between(random, scale);
      const aspect = Math.exp(between(random, [Math.log(ratio[0]), Math.log(ratio[1])]));
      const width = Math.min(1, Math.sqrt(area * aspect));
      const height = Math.min(1, Math.sqrt(area / aspect));
      return [width, 0, around(random, (1 - width) / 2), 0, height, around(random, (1 - height) / 2)];
    },
  };
}
