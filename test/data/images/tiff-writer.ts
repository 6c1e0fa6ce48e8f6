/**
 * A TIFF of integer samples (bands together, row by row), each below 2^bits; black is zero, whatever the bands, or samples
 * are places in a palette of greys.
 */
export function tiff({
  width,
  height,
  bits,
  samples,
  palette,
}: {
  readonly width: number;
  readonly height: number;
  readonly bits: 1 | 2 | 4 | 8 | 16;
  readonly samples: readonly number[];
  readonly palette?: readonly number[];
}): Buffer {
  const bands = samples.length / (width * height);
  const perRow = width * bands;
  const rows = Array.from({ length: height }, (_, y) => {
    const row = samples.slice(y * perRow, (y + 1) * perRow);
    if (bits === 16) return Buffer.from(Uint16Array.from(row).buffer);
    const text = row.map((value) => value.toString(2).padStart(bits, '0')).join('');
    return Buffer.from((text.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)));
  });
  return written(Buffer.concat(rows), [
    [256, 4, [width]],
    [257, 4, [height]],
    [258, 3, Array<number>(bands).fill(bits)],
    [259, 3, [1]], // not compressed
    [262, 3, [palette ? 3 : 1]], // a palette, or black is zero
    [273, 4, [8]], // where the pixels lie
    [277, 3, [bands]],
    [278, 4, [height]], // rows a strip
    [279, 4, [rows.reduce((sum, row) => sum + row.length, 0)]], // bytes a strip
    ...(palette ? [[320, 3, [...palette, ...palette, ...palette]] as const] : []),
  ]);
}

/** A TIFF of 2 × 2 grey floats, all alike. */
export function floats(value: number): Buffer {
  return written(Buffer.from(Float32Array.of(value, value, value, value).buffer), [
    [256, 4, [2]], // width
    [257, 4, [2]], // height
    [258, 3, [32]], // bits a sample
    [259, 3, [1]], // not compressed
    [262, 3, [1]], // black is zero
    [273, 4, [8]], // where the pixels lie
    [277, 3, [1]], // samples a pixel
    [278, 3, [2]], // rows a strip
    [279, 4, [16]], // bytes a strip
    [339, 3, [3]], // floating point
  ]);
}

/** An entry of a page: types 3 (16 bits) and 4 (32 bits). */
type Entry = readonly [tag: number, type: 3 | 4, values: readonly number[]];

/** The bytes of an entry; `place` puts what does not fit into it elsewhere, and says where. */
function lineOf([tag, type, values]: Entry, place: (content: Buffer) => number): Buffer {
  const content = Buffer.from((type === 3 ? Uint16Array : Uint32Array).from(values).buffer);
  const line = Buffer.alloc(12);
  line.writeUInt16LE(tag, 0);
  line.writeUInt16LE(type, 2);
  line.writeUInt32LE(values.length, 4);
  if (content.length <= 4) content.copy(line, 8);
  else line.writeUInt32LE(place(content), 8);
  return line;
}

/** Pixels, then what does not fit into the entries, then the entries. */
function written(pixels: Buffer, entries: readonly Entry[]): Buffer {
  const even = Buffer.concat([pixels, Buffer.alloc(pixels.length % 2)]);
  const beside: Buffer[] = [];
  let at = 8 + even.length;
  const lines = entries.map((entry) =>
    lineOf(entry, (content) => {
      beside.push(content);
      at += content.length;
      return at - content.length;
    }),
  );
  const header = Buffer.from('II*\0\0\0\0\0', 'latin1');
  header.writeUInt32LE(at, 4);
  const count = Buffer.alloc(2);
  count.writeUInt16LE(entries.length);
  return Buffer.concat([header, even, ...beside, count, ...lines, Buffer.alloc(4)]);
}

/** A page of `stack`: `values` are a pixel's bands together, or with `planar` each band by itself. */
export interface StackPage {
  readonly width: number;
  readonly height: number;
  readonly bands: number;
  readonly values: Uint8Array | Uint16Array | Float32Array;
  readonly planar?: boolean;
  readonly photometric?: number;
  /** 1 marks a smaller copy of another page. */
  readonly subfile?: number;
  /** What the last band is: 0 = unspecified, 2 = alpha. */
  readonly extra?: number;
}

/** A TIFF of several pages, whose bands lie together or each by itself. */
export function stack(pages: readonly StackPage[]): Buffer {
  const bytesOf = ({ values }: StackPage) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  let bytes: Buffer = Buffer.from('II*\0\0\0\0\0', 'latin1');
  let link = 4;
  const append = (more: Buffer) => {
    const at = bytes.length;
    bytes = Buffer.concat([bytes, more, Buffer.alloc(more.length % 2)]);
    return at;
  };
  for (const page of pages) {
    const { width, height, bands, values, planar = false, photometric = 1, subfile = 0, extra = 0 } = page;
    const pixels = bytesOf(page);
    const at = append(pixels);
    const strips = planar ? bands : 1;
    const each = pixels.length / strips;
    const entries: Entry[] = [
      [254, 4, [subfile]],
      [256, 4, [width]],
      [257, 4, [height]],
      [258, 3, Array<number>(bands).fill(8 * values.BYTES_PER_ELEMENT)],
      [259, 3, [1]],
      [262, 3, [photometric]],
      [273, 4, Array.from({ length: strips }, (_, i) => at + i * each)],
      [277, 3, [bands]],
      [278, 4, [height]],
      [279, 4, Array<number>(strips).fill(each)],
      [284, 3, [planar ? 2 : 1]],
      [338, 3, [extra]],
      [339, 3, Array<number>(bands).fill(values instanceof Float32Array ? 3 : 1)],
    ];
    const lines = entries.map((entry) => lineOf(entry, append));
    const count = Buffer.alloc(2);
    count.writeUInt16LE(lines.length);
    bytes.writeUInt32LE(bytes.length, link);
    link = bytes.length + 2 + 12 * lines.length;
    append(Buffer.concat([count, ...lines, Buffer.alloc(4)]));
  }
  return bytes;
}
