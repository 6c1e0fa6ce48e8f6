import { loadSharp } from '../../base/sharp.js';
import { nameOf, read, type Source } from '../source.js';
import type { Size } from './image-size.js';
import { decodeWith, MOST_BANDS } from './open-picture.js';

/** Width and height of a picture as it is to be seen, by its header. @throws UserError naming a file that is no picture. */
export async function pictureSize(source: Source): Promise<Size> {
  const bytes = await read(source, 'an image');
  return decodeWith(nameOf(source), 'an image', async () => {
    const { width, height, autoOrient } = await loadSharp()(bytes, {
      limitInputChannels: MOST_BANDS,
    }).metadata();
    return { width: autoOrient?.width ?? width, height: autoOrient?.height ?? height };
  });
}
