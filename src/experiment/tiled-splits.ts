import type { ImageSize } from '../data/images/image-size.js';
import { cutTiles } from '../data/images/tiles.js';
import type { Splits } from '../data/types.js';

/** The settings that cut pictures into tiles. */
export interface TileSettings {
  readonly tiles?: ImageSize | undefined;
  readonly tileOverlap?: number | undefined;
}

/**
 * The splits of a training in tiles, where the settings ask for them: those that train overlap, those that are scored do
 * not but at the border. The pictures are divided before, so that tiles of one picture are in one split.
 */
export async function tiledSplits(
  { tiles, tileOverlap: overlap }: TileSettings,
  splits: Splits,
): Promise<Splits> {
  if (tiles === undefined) return splits;
  const apart = { tiles, overlap: 0 };
  return {
    train: await cutTiles(splits.train, { tiles, overlap }),
    validation: await cutTiles(splits.validation, apart),
    test: await cutTiles(splits.test, apart),
  };
}
