/** Values that a byte has. */
const WIDTH = 256;

/** States that lie in one piece of memory: one for each would cost more than what is computed with it. */
const TOGETHER = 64;

let memory = new Uint8Array(0);
let used = 0;

/** Room for the state of one generator, with any contents. */
function room(): Uint8Array {
  if (used === memory.length) {
    memory = new Uint8Array(TOGETHER * WIDTH);
    used = 0;
  }
  return memory.subarray(used, (used += WIDTH));
}

/**
 * The generator RC4-drop[256], seeded by a text: the numbers of npm's seedrandom 3, bit for bit.
 *
 * A sample is augmented from several streams of which few numbers are drawn, so that what counts is how quickly one starts.
 */
export class Arc4 {
  #i = 0;
  #j = 0;
  readonly #state: Uint8Array = room();

  constructor(seed: string | Arc4) {
    if (typeof seed === 'string') this.#schedule(keyOf(seed));
    else {
      this.#state.set(seed.#state);
      this.#i = seed.#i;
      this.#j = seed.#j;
    }
  }

  /** Uniform in [0, 1), with all 53 bits that a number between 1/2 and 1 has, however small it is. */
  double(): number {
    let numerator = this.#bytes(6);
    let denominator = 2 ** 48;
    let last = 0;
    while (numerator < 2 ** 52) {
      numerator = (numerator + last) * WIDTH;
      denominator *= WIDTH;
      last = this.#bytes(1);
    }
    while (numerator >= 2 ** 53) {
      numerator /= 2;
      denominator /= 2;
      last >>>= 1;
    }
    return (numerator + last) / denominator;
  }

  /** The next bytes as one number, the first of them its highest; at most six. */
  #bytes(count: number): number {
    const state = this.#state;
    let [i, j, number] = [this.#i, this.#j, 0];
    for (let k = 0; k < count; k++) {
      i = (i + 1) & 255;
      const a = state[i]!;
      j = (j + a) & 255;
      const b = state[j]!;
      state[i] = b;
      state[j] = a;
      number = number * WIDTH + state[(a + b) & 255]!;
    }
    this.#i = i;
    this.#j = j;
    return number;
  }

  #schedule(key: readonly number[]): void {
    const state = this.#state;
    for (let i = 0; i < WIDTH; i++) state[i] = i;
    for (let i = 0, j = 0, k = 0; i < WIDTH; i++) {
      const value = state[i]!;
      j = (j + value + key[k]!) & 255;
      state[i] = state[j]!;
      state[j] = value;
      if (++k === key.length) k = 0;
    }
    // The first bytes still tell of the key: they are passed over, which leaves i at 0 again.
    let j = 0;
    for (let k = 1; k <= WIDTH; k++) {
      const a = state[k & 255]!;
      j = (j + a) & 255;
      state[k & 255] = state[j]!;
      state[j] = a;
    }
    this.#j = j;
  }
}

/** A text as at most 256 bytes, of which those beyond change the first. */
function keyOf(text: string): number[] {
  const key: number[] = [];
  let smear = 0;
  for (let i = 0; i < text.length; i++) {
    smear ^= (key[i & 255] ?? 0) * 19;
    key[i & 255] = (smear + text.charCodeAt(i)) & 255;
  }
  return key.length > 0 ? key : [0];
}
