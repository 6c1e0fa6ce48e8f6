import seedrandom from 'seedrandom';

/** Draws the next number, uniform in [0, 1). */
export interface Random {
  (): number;
  /** A stream of its own that goes on with the same numbers from here. Those of `randomStream` have it. */
  copy?(): Random;
}

/**
 * The random stream of one purpose: a pure function of the seed and the key.
 *
 * Every use of chance has its own stream, keyed by what it is for, so that no use disturbs another: adding an
 * augmentation does not change the initial weights, and sample 7 of epoch 3 is augmented alike whether the
 * run started there or not.
 *
 * @example
 * randomStream(42, 'shuffle', 3)() === randomStream(42, 'shuffle', 3)(); // => true
 */
export function randomStream(seed: number, ...key: readonly (string | number)[]): Random {
  return copyable(seedrandom([seed, ...key].join('/'), { state: true }));
}

function copyable(stream: seedrandom.StatefulPRNG<seedrandom.State.Arc4>): Random {
  return Object.assign(stream, { copy: () => copyable(seedrandom('', { state: stream.state() })) });
}

/** A draw from the standard normal distribution (Box & Muller 1958, the cosine half). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
