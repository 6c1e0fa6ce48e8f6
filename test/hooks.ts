import assert from 'node:assert/strict';
import '../src/engine/tfjs.js';
import { memory, setBackend } from '@tensorflow/tfjs-core';

let before = 0;

/** After every test, each tensor that it made must be gone. Tests run on the cpu engine unless they choose another. */
export const mochaHooks: Mocha.RootHookObject = {
  async beforeAll() {
    await setBackend('cpu');
  },
  beforeEach() {
    before = memory().numTensors;
  },
  afterEach(this: Mocha.Context) {
    const leaked = memory().numTensors - before;
    assert.equal(leaked, 0, `${leaked} tensors outlived "${this.currentTest?.fullTitle()}"`);
  },
};
