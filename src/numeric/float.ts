const buffer = new DataView(new ArrayBuffer(8));

/** The next double below x, which is finite. */
export function nextDown(x: number): number {
  if (x === 0) return -Number.MIN_VALUE;
  buffer.setFloat64(0, x);
  buffer.setBigInt64(0, buffer.getBigInt64(0) + (x > 0 ? -1n : 1n));
  return buffer.getFloat64(0);
}

/** The nearest integer, of two the even one: numpy's `round` and Python's. */
export function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
