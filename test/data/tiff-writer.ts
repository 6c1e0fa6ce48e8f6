/** A TIFF of 2 × 2 grey floats, all alike. */
export function floats(value: number): Buffer {
  const entries: [tag: number, type: number, value: number][] = [
    [256, 4, 2], // width
    [257, 4, 2], // height
    [258, 3, 32], // bits a sample
    [259, 3, 1], // not compressed
    [262, 3, 1], // black is zero
    [273, 4, 8], // where the pixels lie
    [277, 3, 1], // samples a pixel
    [278, 4, 2], // rows a strip
    [279, 4, 16], // bytes a strip
    [339, 3, 3], // floating point
  ];
  const bytes = Buffer.alloc(24 + 2 + entries.length * 12 + 4);
  bytes.write('II');
  bytes.writeUInt16LE(42, 2);
  bytes.writeUInt32LE(24, 4);
  for (let i = 0; i < 4; i++) bytes.writeFloatLE(value, 8 + i * 4);
  bytes.writeUInt16LE(entries.length, 24);
  entries.forEach(([tag, type, content], i) => {
    bytes.writeUInt16LE(tag, 26 + i * 12);
    bytes.writeUInt16LE(type, 28 + i * 12);
    bytes.writeUInt32LE(1, 30 + i * 12);
    bytes.writeUInt32LE(content, 34 + i * 12);
  });
  return bytes;
}
