import type { Source } from '../source.js';
import { type Pixels, readImage } from './image-file.js';
import { shownBytes } from './pictures.js';
import { deepFormat, type PixelFormat } from './pixel-format.js';
import { readChannels } from './read-channels.js';

/** A picture as a person sees it: RGB bytes, of the first three channels where it has others. */
export async function readShown(source: Source, format: PixelFormat | undefined): Promise<Pixels> {
  const deep = deepFormat(format);
  if (!deep) return readImage(source);
  const { width, height, data } = await readChannels(source, deep);
  return { width, height, data: shownBytes({ width, height, image: data }) };
}
