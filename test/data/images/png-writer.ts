import { crc32, deflateSync } from 'node:zlib';

export interface PngOptions {
  readonly width: number;
  readonly height: number;
  readonly depth: 1 | 2 | 4 | 8 | 16;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA. */
  readonly colour: 0 | 2 | 3 | 4 | 6;
  /** Says that it is interlaced, whether it is or not. */
  readonly interlaced?: boolean;
}

/** A PNG file of samples (channels together, row by row), each below 2^depth; its palette is of no account. `packed` replaces the pixels. */
export function png(options: PngOptions, samples: readonly number[], packed?: Buffer): Buffer {
  const { width, height, depth, colour, interlaced } = options;
  const perRow = samples.length / height;
  const rows = Array.from({ length: samples.length > 0 ? height : 0 }, (_, y) => {
    const bits = samples
      .slice(y * perRow, (y + 1) * perRow)
      .map((value) => value.toString(2).padStart(depth, '0'))
      .join('');
    const bytes = (bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
    return Buffer.from([0, ...bytes]);
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, interlaced ? 1 : 0], 8);
  const palette = Buffer.from(Array.from({ length: 3 * 2 ** Math.min(8, depth) }, (_, i) => (i * 37) % 256));
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    ...(colour === 3 ? [chunk('PLTE', palette)] : []),
    chunk('IDAT', packed ?? deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}
