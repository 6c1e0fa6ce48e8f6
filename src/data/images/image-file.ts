import { UserError } from '../../base/errors.js';
import { sayOnce } from '../../base/say.js';
import { loadSharp } from '../../base/sharp.js';
import { imagesAddon } from '../pixels/addon.js';
import type { Pixels } from '../pixels/values.js';
import { nameOf, read, type Source } from '../source.js';
import { checkPalette } from './check-palette.js';
import { bandsOf, decodeWith, MOST_PIXELS, openPicture } from './open-picture.js';
import { oriented } from './orientation.js';
import { isPng, pngSamples } from './png-samples.js';
import { readTiff } from './read-tiff.js';
import { isTiff, tiffPages } from './tiff-pages.js';

export type { Pixels };

/**
 * Decodes an image to RGB bytes, by its content rather than its name: the bytes of PIL's `convert('RGB')`.
 *
 * EXIF orientation is applied; grey becomes RGB, CMYK too, by 255 − ink; of 16 bits the upper 8 are taken (PIL clips
 * grey ones); alpha and a fourth band are dropped; embedded colour profiles are ignored (pretrained models saw their images
 * so), and of an animation the first frame is taken. Bands that a file declares to be grey are red, green and blue
 * where there are three or more, as GDAL writes them. A line on standard error, once, says where bits or bands that are no
 * alpha are dropped; `readChannels` keeps them.
 *
 * @throws UserError for what is no whole image of integer pixels, for more than 89,478,485 of them, for a TIFF of several
 *   pages, and for 16 bits that use at most 12, which would be nearly black; it names the file.
 */
export async function readImage(source: Source): Promise<Pixels> {
  const bytes = await read(source, 'an image');
  const path = nameOf(source);
  return decodeWith(path, 'an image', async () => {
    if (isTiff(bytes) && isGreyInPlanes(path, bytes)) return readPlanes(path, bytes);
    const { source: picture, space, channels, depth } = await openPicture(path, bytes);
    if (depth === 'ushort') sayLost(path, '16 bits', 'the upper 8 are kept; --range 0,65535 keeps all');
    if (isTiff(bytes)) sayLostBand(path, bytes, space);
    if (space === 'cmyk') {
      const { width, height, ...inks } = await bandsOf(picture.pipelineColourspace('cmyk'), 'cmyk');
      return { width, height, data: withoutInk(inks.data, inks.channels) };
    }
    const grey = space === 'b-w' || space === 'grey16';
    if (depth === 'ushort' || (grey && channels > 2)) {
      const { width, height, ...bands } = await bandsOf(picture, grey ? 'grey16' : 'rgb16');
      if (depth === 'ushort') checkRange(bands.data, bands.channels, path);
      return { width, height, data: upperBytes(bands.data, bands.channels) };
    }
    return bandsOf(picture.removeAlpha(), 'srgb') as Promise<Pixels>;
  });
}

/** Whether a TIFF has bands of grey, each by itself: libvips takes them for rows of one. */
function isGreyInPlanes(path: string, bytes: Buffer): boolean {
  const [page, ...others] = tiffPages(path, bytes);
  return (
    others.length === 0 && page !== undefined && page.planar && page.photometric === 1 && page.channels > 1
  );
}

/** RGB bytes of a TIFF's separate bands. */
async function readPlanes(path: string, bytes: Buffer): Promise<Pixels> {
  const { width, height, channels, depth, data } = await readTiff(path, bytes);
  if (channels !== 3 || depth === 0)
    throw new UserError(
      `${path}: expected three bands of 8 or 16-bit integers, got ${channels} bands${depth === 0 ? ' of other numbers' : ''}; give --channels ${channels}${depth === 0 ? ' and --range' : ''} for all pictures`,
      { path, channels },
    );
  if (depth === 8) return { width, height, data: Uint8Array.from(data) };
  sayLost(path, '16 bits', 'the upper 8 are kept; --range 0,65535 keeps all');
  const wide = Uint16Array.from(data);
  checkRange(wide, channels, path);
  return { width, height, data: upperBytes(wide, channels) };
}

function sayLost(path: string, what: string, fix: string): void {
  sayOnce(`lost ${what}`, `${path}: it has ${what}, of which ${fix} (said of the first such picture)`);
}

/** Says that a TIFF's last band is dropped, where the file does not say that it is transparency. */
function sayLostBand(path: string, bytes: Buffer, space: string): void {
  const [page] = tiffPages(path, bytes);
  if (!page || page.alpha || space === 'cmyk' || page.channels % 2 !== 0) return;
  const { channels } = page;
  sayLost(
    path,
    `${channels} bands`,
    `the ${channels === 2 ? 'first is' : 'first three are'} kept; --channels ${channels} keeps all`,
  );
}

/**
 * Decodes a mask to the ids stored in it: palette indices or grey values.
 *
 * PNG is read with its palette indices intact, at 1, 2, 4, 8 or 16 bits. Other formats, and PNG in colour, must be grey
 * pictures: their ids are the grey values, from 0 up where they have fewer than 8 bits. EXIF orientation is applied, as to
 * images.
 *
 * @throws UserError for what is no whole mask, for one whose content lies in alpha, and for a TIFF or GIF with a palette,
 *   unless that holds grey i at place i; it names the file.
 */
export async function readMask(
  source: Source,
): Promise<{ width: number; height: number; data: Uint8Array | Uint16Array }> {
  const bytes = await read(source, 'a mask');
  const path = nameOf(source);
  return decodeWith(path, 'a mask', async () => {
    if (isPng(bytes)) {
      if (bytes[24]! < 8 && bytes[28] === 1)
        throw new UserError(
          `${path}: expected a mask without interlacing, got an interlaced one of ${bytes[24]} bits; save it plainly`,
          { path },
        );
      const plain = await imagesAddon()?.readIds({ bytes, mostPixels: MOST_PIXELS });
      if (plain) return plain;
      const { width, height, data, channels, exif } = pngSamples(bytes, MOST_PIXELS);
      const ids = { width, height, data: onlyChannel(data, channels, path) };
      if (!exif) return ids;
      const sharp = loadSharp();
      return oriented(ids, (await sharp(bytes).metadata()).orientation ?? 1);
    }
    checkPalette(path, bytes);
    const { source: picture, space, depth, bits = 8 } = await openPicture(path, bytes);
    const grey = space === 'b-w' || space === 'grey16';
    const wide = depth === 'ushort' || grey;
    const { width, height, channels, data } = await bandsOf(
      picture,
      grey ? 'grey16' : wide ? 'rgb16' : 'srgb',
    );
    const ids = onlyChannel(data, channels, path);
    // libvips widens what has fewer bits: n of b bits becomes n · 65535 / (2^b − 1).
    const unit = grey && depth === 'uchar' ? 65535 / (2 ** Math.min(8, bits) - 1) : 1;
    return { width, height, data: unit === 1 ? ids : divided(ids, unit) };
  });
}

function divided(ids: Uint8Array | Uint16Array, unit: number): Uint8Array {
  const data = new Uint8Array(ids.length);
  for (let i = 0; i < ids.length; i++) data[i] = ids[i]! / unit;
  return data;
}

/** PIL's RGB of CMYK: each ink takes its share of what black leaves. */
function withoutInk(inks: Uint8Array | Uint16Array, channels: number): Uint8Array {
  const data = new Uint8Array((inks.length / channels) * 3);
  for (let at = 0, to = 0; at < inks.length; at += channels) {
    const light = 255 - inks[at + 3]!;
    for (let c = 0; c < 3; c++) {
      // PIL's product of two bytes as shares of 255, rounded without a division.
      const product = inks[at + c]! * light + 128;
      data[to++] = light - (((product >> 8) + product) >> 8);
    }
  }
  return data;
}

/** The upper bytes of the first three bands, or of the first one thrice. */
function upperBytes(bands: Uint8Array | Uint16Array, channels: number): Uint8Array {
  const data = new Uint8Array((bands.length / channels) * 3);
  const [green, blue] = channels > 2 ? [1, 2] : [0, 0];
  for (let at = 0, to = 0; at < bands.length; at += channels) {
    data[to++] = bands[at]! >> 8;
    data[to++] = bands[at + green]! >> 8;
    data[to++] = bands[at + blue]! >> 8;
  }
  return data;
}

function checkRange(bands: Uint8Array | Uint16Array, channels: number, path: string): void {
  const colours = Math.min(3, channels - ((channels + 1) % 2));
  let most = 0;
  for (let at = 0; at < bands.length; at += channels)
    for (let c = 0; c < colours; c++) if (bands[at + c]! > most) most = bands[at + c]!;
  if (most === 0 || most >= 2 ** 12) return;
  throw new UserError(
    `${path}: expected 16-bit pixels from 0 to 65535, got at most ${most}, as of ${Math.ceil(Math.log2(most + 1))} bits, which would be nearly black; give --range 0,${2 ** Math.ceil(Math.log2(most + 1)) - 1}, or save 8 bits`,
    { path, most },
  );
}

/** The one channel of a grey picture that may be stored in colour, and with alpha. */
function onlyChannel(
  data: Uint8Array | Uint16Array,
  channels: number,
  path: string,
): Uint8Array | Uint16Array {
  if (channels === 1) return data;
  const count = data.length / channels;
  const ids = data instanceof Uint16Array ? new Uint16Array(count) : new Uint8Array(count);
  const alpha = channels % 2 === 0 ? channels - 1 : 0;
  let [oneId, oneAlpha] = [true, true];
  for (let i = 0, at = 0; i < count; i++, at += channels) {
    ids[i] = data[at]!;
    if (channels > 2 && (data[at] !== data[at + 1] || data[at] !== data[at + 2]))
      throw new UserError(
        `${path}: expected a mask of one channel (palette or grey), got colours; save it with one id per pixel`,
        { path },
      );
    oneId &&= data[at] === data[0];
    oneAlpha &&= data[at + alpha] === data[alpha];
  }
  if (alpha > 0 && oneId && !oneAlpha)
    throw new UserError(
      `${path}: expected ids in grey or a palette, got ${data[0]} throughout and the mask in alpha; save it with one id per pixel`,
      { path },
    );
  return ids;
}
