import assert from 'node:assert/strict';
import '../src/engine/tfjs.js';
import { memory, setBackend } from '@tensorflow/tfjs-core';

let before = 0;
const environment = process.env;

/**
 * After every test, each tensor that it made must be gone, and `process.env` the object that it was: a copy in its place no longer
 * reaches Node itself, whose dates then ignore TZ. Tests run on the cpu engine unless they choose another.
 */
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
    assert.ok(process.env === environment, 'process.env was replaced; set and delete its names instead');
  },
};
