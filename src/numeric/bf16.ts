/** The nearest bfloat16 values (8 bits of mantissa; of two equally near the even one), as their upper halves of float32. */
export function toBf16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(words.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    // Rounding up would turn a NaN whose low bits alone are set into an infinity.
    const isNan = (word & 0x7fffffff) > 0x7f800000;
    halves[i] = isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return halves;
}

/** Writes bfloat16 values as float32 into `to`, from index `at` on. */
export function fromBf16(halves: Uint16Array, to: Float32Array, at = 0): void {
  const words = new Uint32Array(to.buffer, to.byteOffset, to.length);
  for (let i = 0; i < halves.length; i++) words[at + i] = halves[i]! << 16;
}
