/**
 * One TFRecord frame around a payload: u64 length, its masked CRC-32C, the payload, its masked CRC-32C, all little
 * endian.
 */
export function tfRecord(payload: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(payload.length));
  return Buffer.concat([length, masked(length), payload, masked(payload)]);
}

/**
 * Masks a checksum as TFRecord does: rotated, plus a constant, since a CRC over data that holds CRCs is weak.
 */
function masked(data: Buffer): Buffer {
  const crc = crc32c(data);
  const result = Buffer.alloc(4);
  result.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return result;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** CRC-32C (Castagnoli's polynomial, bits reflected: RFC 3720, appendix B.4). */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 255]!;
  return (crc ^ 0xffffffff) >>> 0;
}

// Fields of a protocol buffer: the field's number and wire type, then its value.

export function varint(field: number, value: number): Buffer {
  return Buffer.concat([tag(field, 0), base128(value)]);
}

export function double(field: number, value: number): Buffer {
  const data = Buffer.alloc(8);
  data.writeDoubleLE(value);
  return Buffer.concat([tag(field, 1), data]);
}

export function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([tag(field, 2), base128(value.length), value]);
}

export function utf8(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value));
}

export function float(field: number, value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeFloatLE(value);
  return Buffer.concat([tag(field, 5), data]);
}

function tag(field: number, wire: number): Buffer {
  return Buffer.from([(field << 3) | wire]);
}

/** Seven bits per byte, low ones first; the high bit says that more follow. */
function base128(value: number): Buffer {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`expected an integer from 0 to 2^53, got ${value}`);
  const result: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) result.push((rest % 128) | 128);
  return Buffer.from([...result, rest]);
}
