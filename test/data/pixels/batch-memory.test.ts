import assert from 'node:assert/strict';
import { giveMemory, takeMemory } from '../../../src/data/pixels/batch-memory.js';

describe('the memory of batches', () => {
  it('is used again for the same type and length, once', () => {
    const floats = takeMemory(Float32Array, 7);
    assert.notEqual(takeMemory(Float32Array, 7), floats);
    giveMemory(floats);
    assert.notEqual(takeMemory(Int32Array as never, 7), floats);
    assert.notEqual(takeMemory(Float32Array, 8), floats);
    assert.equal(takeMemory(Float32Array, 7), floats);
    assert.notEqual(takeMemory(Float32Array, 7), floats);
  });

  it('is kept for a few arrays only', () => {
    const all = Array.from({ length: 20 }, () => new Int32Array(5));
    for (const array of all) giveMemory(array);
    const again = new Set(Array.from({ length: 20 }, () => takeMemory(Int32Array, 5)));
    assert.equal(all.filter((array) => again.has(array)).length, 8);
  });
});
