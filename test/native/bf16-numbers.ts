import { randomStream } from '../../src/random/random-stream.js';

/** Numbers that bf16 holds, the same for a name. */
export function bf16Numbers(name: string, count: number, spread: number): Float32Array {
  const random = randomStream(1, 'bf16', name);
  const numbers = Float32Array.from({ length: count }, () => (random() - 0.5) * spread);
  const bits = new Uint32Array(numbers.buffer);
  bits.forEach((word, i) => {
    bits[i] = word & 0xffff0000;
  });
  return numbers;
}
