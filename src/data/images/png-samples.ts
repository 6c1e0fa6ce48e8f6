import zlib from 'node:zlib';

/**
 * The contents of a PNG file, row by row: palette indices or channel values, each in an element of its own.
 */
export interface PngSamples {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly depth: number;
  readonly data: Uint8Array | Uint16Array;
  /** Whether it has an `eXIf` chunk, which may hold the orientation of the picture. */
  readonly exif: boolean;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Samples per pixel and allowed depths, by colour type. */
const COLOURS: Readonly<Record<number, readonly [channels: number, depths: readonly number[]]>> = {
  0: [1, [1, 2, 4, 8, 16]],
  2: [3, [8, 16]],
  3: [1, [1, 2, 4, 8]],
  4: [2, [8, 16]],
  6: [4, [8, 16]],
};

/** The most bytes that deflate packs into one. */
const DENSEST = 1032;

/** The seven passes of Adam7: first column and row, and steps. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Whether these are the bytes of a PNG file. */
export function isPng(bytes: Buffer): boolean {
  return bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE);
}

/**
 * Reads the samples of a PNG file as they are stored (PNG 1.2), unlike image libraries: palettes stay indices, and 1,
 * 2 and 4 bits stay small numbers. An interlaced picture must have 8 or 16 bits.
 *
 * The declared size is checked before anything is unpacked, against `mostPixels` and against what the file's bytes can
 * hold, and no more is unpacked than was declared.
 *
 * @throws Error for a file that is damaged, cut short, or larger than it may be
 */
export function pngSamples(bytes: Buffer, mostPixels: number): PngSamples {
  const { header, packed, exif } = chunks(bytes);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const [depth, colour, compression, filter, interlace] = header.subarray(8);
  const [channels, depths] = COLOURS[colour!] ?? [0, []];
  if (!depths.includes(depth!) || compression !== 0 || filter !== 0 || interlace! > 1)
    throw new Error('its header is damaged');
  if (width === 0 || height === 0) throw new Error('it has no pixels');
  if (width * height > mostPixels)
    throw new Error(`${width}×${height} pixels are more than the ${mostPixels} that are read`);
  const interlaced = interlace === 1;
  if (interlaced && depth! < 8) throw new Error(`it is interlaced at ${depth} bits`);

  const bits = channels * depth!;
  const passes = (interlaced ? ADAM7 : [[0, 0, 1, 1] as const])
    .map(([x, y, dx, dy]) => ({
      x,
      y,
      dx,
      dy,
      w: Math.ceil((width - x) / dx),
      h: Math.ceil((height - y) / dy),
    }))
    .filter(({ w, h }) => w > 0 && h > 0);
  const stride = (w: number) => Math.ceil((w * bits) / 8);
  const size = passes.reduce((sum, { w, h }) => sum + (1 + stride(w)) * h, 0);
  if (size > packed.length * DENSEST) throw new Error('it holds fewer pixels than it declares');
  // One buffer, and a little more than is needed, so that bytes beyond the pixels do no harm.
  const { buffer, byteOffset, length } = zlib.inflateSync(packed, {
    chunkSize: size + 1024,
    maxOutputLength: size + 1024,
  });
  const lines = new Uint8Array(buffer, byteOffset, length);
  if (lines.length < size) throw new Error('it holds fewer pixels than it declares');

  const step = Math.max(1, bits >> 3);
  let rows: Uint8Array = new Uint8Array(interlaced ? width * height * step : 0);
  let at = 0;
  for (const { x, y, dx, dy, w, h } of passes) {
    const pass = unfiltered(lines, at, stride(w), h, step);
    at += (1 + stride(w)) * h;
    if (!interlaced) rows = pass;
    else
      for (let v = 0, from = 0; v < h; v++)
        for (let u = 0; u < w; u++, from += step)
          for (let k = 0, to = ((y + v * dy) * width + x + u * dx) * step; k < step; k++)
            rows[to + k] = pass[from + k]!;
  }
  const data = depth === 16 ? bigEndian(rows) : depth === 8 ? rows : unpacked(rows, width, height, depth!);
  return { width, height, channels, depth: depth!, data, exif };
}

/** The header and the packed pixels, after every chunk's checksum was verified. */
function chunks(bytes: Buffer): { header: Buffer; packed: Buffer; exif: boolean } {
  let header: Buffer | undefined;
  let exif = false;
  const packed: Buffer[] = [];
  for (let at = SIGNATURE.length; ; ) {
    if (at + 12 > bytes.length) throw new Error('it ends in the middle');
    const length = bytes.readUInt32BE(at);
    const end = at + 12 + length;
    if (end > bytes.length) throw new Error('it ends in the middle');
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (zlib.crc32(bytes.subarray(at + 4, end - 4)) !== bytes.readUInt32BE(end - 4))
      throw new Error(`the checksum of its chunk ${JSON.stringify(type)} is wrong`);
    const content = bytes.subarray(at + 8, end - 4);
    if (!header && (type !== 'IHDR' || length !== 13)) throw new Error('it has no header');
    header ??= content;
    if (type === 'IDAT') packed.push(content);
    if (type === 'eXIf') exif = true;
    if (type === 'IEND') return { header, packed: Buffer.concat(packed), exif };
    at = end;
  }
}

/**
 * Reverts the filters of `height` lines, a byte and `stride` bytes each, in place; returns them without their first
 * bytes.
 */
function unfiltered(
  lines: Uint8Array,
  start: number,
  stride: number,
  height: number,
  step: number,
): Uint8Array {
  const rows = lines.subarray(start, start + stride * height);
  for (let y = 0; y < height; y++) {
    const from = start + y * (stride + 1) + 1;
    const to = start + y * stride;
    const above = y > 0 ? to - stride : -1;
    const filter = lines[from - 1]!;
    if (filter > 4) throw new Error('its pixels are damaged');
    if (filter === 0) {
      lines.copyWithin(to, from, from + stride);
      continue;
    }
    for (let i = 0; i < stride; i++) {
      const left = i >= step ? lines[to + i - step]! : 0;
      const up = above >= 0 ? lines[above + i]! : 0;
      const corner = i >= step && above >= 0 ? lines[above + i - step]! : 0;
      const guess =
        filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : paeth(left, up, corner);
      lines[to + i] = lines[from + i]! + guess;
    }
  }
  return rows;
}

/** Whichever of the three lies nearest to left + up − corner. */
function paeth(left: number, up: number, corner: number): number {
  const [toLeft, toUp, toCorner] = [
    Math.abs(up - corner),
    Math.abs(left - corner),
    Math.abs(left + up - 2 * corner),
  ];
  return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
}

/** Bytes that hold several samples each, most significant bits first, rows starting on a byte: one sample a byte. */
function unpacked(rows: Uint8Array, width: number, height: number, depth: number): Uint8Array {
  const stride = Math.ceil((width * depth) / 8);
  const mask = 2 ** depth - 1;
  const samples = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      samples[y * width + x] = (rows[y * stride + (bit >> 3)]! >> (8 - depth - (bit & 7))) & mask;
    }
  return samples;
}

function bigEndian(rows: Uint8Array): Uint16Array {
  const samples = new Uint16Array(rows.length >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = (rows[2 * i]! << 8) | rows[2 * i + 1]!;
  return samples;
}
