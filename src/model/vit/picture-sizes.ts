import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { type ImageSize, type Size, sizeOf } from '../../data/images/image-size.js';
import { checkImageSize } from './check-image-size.js';
import { checkMemory } from './check-memory.js';
import { type Grid, gridOf, type VitConfig, withImageSize } from './config.js';

/** The sizes of pictures that a model takes: its own, and those that are added. */
export class PictureSizes {
  /** The shape of the ViT, for pictures of its own size. */
  readonly config: VitConfig;
  readonly own: Size;
  readonly #shapes = new Set<string>();

  /**
   * @param outputs how many numbers the model says of one picture
   * @throws UserError for a size that patches do not fill, and for one that cannot fit into memory.
   */
  constructor(config: VitConfig, imageSize: ImageSize, outputs: number) {
    this.own = sizeOf(imageSize);
    this.config = withImageSize(config, this.own);
    this.#add(config, this.own, outputs);
  }

  /** Takes pictures of this size, too. @throws UserError as the constructor does. */
  add(size: Size): void {
    this.#add(this.config, size, 0);
  }

  /** The grid of patches of an input: of images, or of tokens, which are of the model's own size. */
  gridOf({ rank, shape }: Tensor): Grid {
    if (rank === 3) return gridOf(this.config);
    const [, height, width] = shape as [number, number, number];
    return { rows: height / this.config.patch_size, columns: width / this.config.patch_size };
  }

  /** @throws UserError for images of another size. */
  check({ rank, shape }: Tensor): void {
    if (rank === 4 && this.#shapes.has(shape.slice(1).join())) return;
    const { width, height } = this.own;
    throw new UserError(
      `images: expected [batch, ${height}, ${width}, ${this.config.num_channels}], got [${shape.join(', ')}]; decode(model.imageSize), or load the model with another imageSize`,
    );
  }

  #add(config: VitConfig, size: Size, outputs: number): void {
    checkImageSize(size, config.patch_size);
    checkMemory(config, size, outputs);
    this.#shapes.add(`${size.height},${size.width},${config.num_channels}`);
  }
}
