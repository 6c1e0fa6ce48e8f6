import assert from 'node:assert/strict';
import { MersenneTwister } from '../../src/random/mersenne-twister.js';

// Goldens: python3 -c "import random; random.seed(42); print([random.random() for _ in range(3)], random.getrandbits(13))"
// and      python3 -c "import numpy as np; r = np.random.RandomState(42); print(r.rand(3).tolist())"
describe('MersenneTwister', () => {
  it("is CPython's random after init_by_array", () => {
    const twister = MersenneTwister.fromKey([42]);
    const draws = [twister.random(), twister.random(), twister.random()];
    assert.deepEqual(draws, [0.6394267984578837, 0.025010755222666936, 0.27502931836911926]);
  });

  // Goldens: python3 -c "import random; random.seed(2**32); print(random.random())", and so on.
  it("is CPython's random after a seed of any size", () => {
    const draws = {
      [42]: 0.6394267984578837,
      [-42]: 0.6394267984578837,
      [0]: 0.8444218515250481,
      [2 ** 32 - 1]: 0.6353574441341173,
      [2 ** 32]: 0.11299430095636409,
      [2 ** 32 + 5]: 0.15727238718789782,
      [2 ** 40 + 123456789]: 0.17223907383219594,
      [2 ** 53 - 1]: 0.09425040007102303,
      [2 ** 70]: 0.2327882718301838,
    };
    for (const [seed, draw] of Object.entries(draws))
      assert.equal(MersenneTwister.fromInteger(Number(seed)).random(), draw, seed);
    for (const seed of [1.5, Number.NaN, Infinity])
      assert.throws(() => MersenneTwister.fromInteger(seed), /seed: expected an integer, got/);
  });

  it("is numpy's RandomState after init_genrand", () => {
    const twister = MersenneTwister.fromSeed(42);
    const draws = [twister.random(), twister.random(), twister.random()];
    assert.deepEqual(draws, [0.3745401188473625, 0.9507143064099162, 0.7319939418114051]);
  });

  it('survives a refill, and a clone does not affect the original', () => {
    const twister = MersenneTwister.fromSeed(1);
    for (let i = 0; i < 1000; i++) twister.uint32();
    const copy = twister.clone();
    const ahead = Array.from({ length: 1000 }, () => copy.uint32());
    assert.deepEqual(
      Array.from({ length: 1000 }, () => twister.uint32()),
      ahead,
    );
  });
});
